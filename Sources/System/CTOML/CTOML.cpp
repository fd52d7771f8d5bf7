#include "CTOML.h"

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

// Some malformed documents run toml++ into its own assertions. They are thrown as faults of the document: neither may a
// debug build abort on a file, nor may a release build assume what the file then disproves.
struct AssertionFailure : std::exception {};

inline void require(bool condition) {
    if (!condition) throw AssertionFailure();
}

}  // namespace

#undef NDEBUG
#define TOML_ASSERT(condition) require(static_cast<bool>(condition))
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

struct ctoml_document {
    toml::table root;
    std::vector<ctoml_entry> entries;
    bool failed = false;
    std::string error;
    uint32_t line = 0, column = 0;
};

namespace {

// toml++ bounds the nesting of values, but not that of dotted keys, and both building and releasing a tree recurse:
// `a.a.a...` of a few hundred kilobytes would overrun the stack. A dot outside of strings and comments is what makes
// a level, so their number in the whole document bounds the depth.
constexpr size_t most_dots = 1024;

// Steps over strings and comments exactly as far as a document is valid TOML; behind its first error nothing matters,
// because the parser stops there.
class DotCounter {
public:
    explicit DotCounter(std::string_view text) : text_(text) {}

    // The line of the dot that is one too many, or 0.
    uint32_t excess() {
        size_t dots = 0;
        while (at_ < text_.size()) {
            const char byte = text_[at_];
            if (byte == '"' || byte == '\'') {
                skip_string(byte);
                continue;
            }
            if (byte == '#') {
                while (at_ < text_.size() && text_[at_] != '\n') at_ += 1;
                continue;
            }
            if (byte == '\n') line_ += 1;
            if (byte == '.') {
                dots += 1;
                if (dots > most_dots) return line_;
            }
            at_ += 1;
        }
        return 0;
    }

private:
    void skip_string(char quote) {
        const std::string_view fence = quote == '"' ? "\"\"\"" : "'''";
        const bool multiline = text_.substr(at_, 3) == fence;
        at_ += multiline ? 3 : 1;
        while (at_ < text_.size()) {
            const char byte = text_[at_];
            if (byte == '\n') {
                if (!multiline) return;
                line_ += 1;
            }
            if (byte == '\\' && quote == '"') {
                // A backslash may end a line of a multi-line string: the line break is counted above.
                at_ += at_ + 1 < text_.size() && text_[at_ + 1] != '\n' ? 2 : 1;
                continue;
            }
            if (byte == quote && !multiline) {
                at_ += 1;
                return;
            }
            if (byte == quote && text_.substr(at_, 3) == fence) {
                at_ += 3;
                // Up to two quotes may stand directly before the closing three.
                for (int extra = 0; extra < 2 && at_ < text_.size() && text_[at_] == quote; extra++) at_ += 1;
                return;
            }
            at_ += 1;
        }
    }

    std::string_view text_;
    size_t at_ = 0;
    uint32_t line_ = 1;
};

void append(std::vector<ctoml_entry> &entries, const toml::node &node, const toml::key *key) {
    ctoml_entry entry{};
    if (key) {
        entry.key = key->str().data();
        entry.key_length = key->str().size();
        entry.key_line = key->source().begin.line;
        entry.key_column = key->source().begin.column;
    }
    entry.line = node.source().begin.line;
    entry.column = node.source().begin.column;
    if (const auto *table = node.as_table()) {
        entry.kind = ctoml_kind_table;
        entry.child_count = table->size();
        entries.push_back(entry);
        for (const auto &[name, value] : *table) append(entries, value, &name);
        return;
    }
    if (const auto *array = node.as_array()) {
        entry.kind = ctoml_kind_array;
        entry.child_count = array->size();
        entries.push_back(entry);
        for (const auto &value : *array) append(entries, value, nullptr);
        return;
    }
    if (const auto *string = node.as_string()) {
        entry.kind = ctoml_kind_string;
        entry.text = string->get().data();
        entry.text_length = string->get().size();
    } else if (const auto *integer = node.as_integer()) {
        entry.kind = ctoml_kind_integer;
        entry.integer = integer->get();
    } else if (const auto *number = node.as_floating_point()) {
        entry.kind = ctoml_kind_floating_point;
        entry.floating_point = number->get();
    } else if (const auto *boolean = node.as_boolean()) {
        entry.kind = ctoml_kind_boolean;
        entry.boolean = boolean->get();
    } else {
        entry.kind = ctoml_kind_date_or_time;
    }
    entries.push_back(entry);
}

bool fails_assertion(std::string_view text) {
    try {
        (void)toml::parse(text);
    } catch (const AssertionFailure &) {
        return true;
    } catch (const std::exception &) {
    }
    return false;
}

// An assertion knows no position. The parser reads forwards, so every prefix with the culprit in it fails alike, and
// the shortest one is found by halving.
uint32_t line_of_assertion_failure(std::string_view text) {
    std::vector<size_t> line_ends;
    for (size_t at = 0; at < text.size(); at++) {
        if (text[at] == '\n') line_ends.push_back(at + 1);
    }
    size_t low = 0, high = line_ends.size();
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (fails_assertion(text.substr(0, line_ends[middle]))) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return static_cast<uint32_t>(low + 1);
}

void fail(ctoml_document &document, std::string_view error, uint32_t line, uint32_t column) {
    document.failed = true;
    document.error = error;
    document.line = line;
    document.column = column;
}

}  // namespace

extern "C" ctoml_document *ctoml_parse(const uint8_t *bytes, size_t count) {
    auto *document = new ctoml_document;
    const std::string_view text(reinterpret_cast<const char *>(bytes), count);
    if (const uint32_t line = DotCounter(text).excess()) {
        fail(*document, "too many dotted keys", line, 1);
        return document;
    }
    try {
        document->root = toml::parse(text);
        append(document->entries, document->root, nullptr);
    } catch (const toml::parse_error &error) {
        fail(*document, error.description(), error.source().begin.line, error.source().begin.column);
    } catch (const AssertionFailure &) {
        fail(*document, "malformed", line_of_assertion_failure(text), 1);
    } catch (const std::exception &) {
        fail(*document, "malformed", 1, 1);
    }
    return document;
}

extern "C" void ctoml_free(ctoml_document *document) {
    delete document;
}

extern "C" const char *ctoml_error(const ctoml_document *document, uint32_t *line, uint32_t *column) {
    if (!document->failed) return nullptr;
    *line = document->line;
    *column = document->column;
    return document->error.c_str();
}

extern "C" const ctoml_entry *ctoml_entries(const ctoml_document *document, size_t *count) {
    *count = document->entries.size();
    return document->entries.data();
}
