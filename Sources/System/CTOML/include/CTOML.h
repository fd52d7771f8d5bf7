// TOML 1.0 documents for Swift: the tree of a document as one list of entries, each with its place in the text.
//
// The parser is toml++ (libtomlplusplus-dev), which gives the line and column of every key and value. It is C++, so
// this target puts plain C in front of it: Swift reads a list, and no C++ type, exception or template crosses over.

#ifndef CTOML_H
#define CTOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ctoml_kind_table,
    ctoml_kind_array,
    ctoml_kind_string,
    ctoml_kind_integer,
    ctoml_kind_floating_point,
    ctoml_kind_boolean,
    ctoml_kind_date_or_time,
} ctoml_kind;

// A node of the tree in preorder: a table or an array is followed by `child_count` nodes with all that they hold.
// Texts are UTF-8, not terminated, and live as long as the document. Lines and columns count from 1; columns count
// code points. `key` is NULL in an array and for the root.
typedef struct {
    ctoml_kind kind;
    const char *key;
    size_t key_length;
    uint32_t key_line, key_column;
    uint32_t line, column;
    size_t child_count;
    const char *text;
    size_t text_length;
    int64_t integer;
    double floating_point;
    bool boolean;
} ctoml_entry;

typedef struct ctoml_document ctoml_document;

// Parses any bytes in bounded time and stack. Never NULL; release with `ctoml_free`.
ctoml_document *ctoml_parse(const uint8_t *bytes, size_t count);
void ctoml_free(ctoml_document *document);

// What is wrong with the document, or NULL, and where.
const char *ctoml_error(const ctoml_document *document, uint32_t *line, uint32_t *column);

// The entries, the first of which is the root table; `count` is 0 after an error.
const ctoml_entry *ctoml_entries(const ctoml_document *document, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
