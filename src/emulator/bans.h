#ifndef EMU_BANS_H
#define EMU_BANS_H

/* The faces of a ban: how a door refuses everything that comes from an address. */

struct emu_ban {
    const char *name;
    const char *answer; /* the name of an answer of any door; NULL: closed connections */
};

#define EMU_BAN_NAMES "html-401, html-403, html-404, empty-401, empty-403, empty-404 and close"

/* The face of that name, or NULL. */
const struct emu_ban *emu_ban_find(const char *name);

#endif
