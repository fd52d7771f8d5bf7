/// What of wide ncurses does not import: macros, mutable globals, and the capabilities of terminfo.
#pragma once

#define _XOPEN_SOURCE_EXTENDED 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <stdio.h>

// From <term.h>, whose several hundred macros (`lines`, `columns` ...) must not reach an importer.
extern int setupterm(const char *, int, int *);
extern char *tigetstr(const char *);
extern char *tiparm(const char *, ...);

/// Starts the terminal named by TERM on standard input and output; null if it can't be driven.
static inline SCREEN *cncurses_start(void) { return newterm(NULL, stdout, stdin); }

static inline WINDOW *cncurses_screen(void) { return stdscr; }

/// 1: TERM is known; 0: it is unknown or too generic; -1: there is no terminal database.
static inline int cncurses_look_up_terminal(void) {
    int outcome = -1;
    if (setupterm(NULL, fileno(stdout), &outcome) == OK) return 1;
    return outcome > 0 ? 0 : outcome;
}

/// A string capability, or null if the terminal lacks it or says it has none.
static inline const char *cncurses_capability(const char *name) {
    const char *value = tigetstr(name);
    return value == (const char *)-1 ? NULL : value;
}

/// What moves the cursor to a place, or null.
static inline const char *cncurses_move(int row, int column) {
    const char *move = cncurses_capability("cup");
    return move ? tiparm(move, row, column) : NULL;
}

enum { cncurses_bold = 1, cncurses_dim = 2, cncurses_reverse = 4, cncurses_blink = 8 };

/// Puts one character with its marks into the screen's buffer; `text` ends in 0, `flags` are of `cncurses_bold` and on.
static inline int cncurses_put(int row, int column, const wchar_t *text, int flags, short pair) {
    attr_t attributes = WA_NORMAL;
    if (flags & cncurses_bold) attributes |= WA_BOLD;
    if (flags & cncurses_dim) attributes |= WA_DIM;
    if (flags & cncurses_reverse) attributes |= WA_REVERSE;
    if (flags & cncurses_blink) attributes |= WA_BLINK;
    cchar_t cell;
    if (setcchar(&cell, text, attributes, pair, NULL) == ERR) return ERR;
    return mvadd_wch(row, column, &cell);
}

static inline int cncurses_function_key(int code) {
    for (int number = 1; number <= 12; number++) {
        if (code == KEY_F(number)) return number;
    }
    return 0;
}
