/* From argv to struct ctl, by the tables of ctl/vocabulary.h. */
#ifndef PUNCHD_CTL_PARSE_H
#define PUNCHD_CTL_PARSE_H

#include "ctl/ctl.h"

/*
 * Options may stand before the command (those that every command takes) or anywhere behind it, as
 * `--name VALUE` or `--name=VALUE`; `--` ends them; the last of several counts. Values are checked.
 * ctl.times.now_s is set already. Returns CTL_DONE, or CTL_USAGE, and has said why.
 */
int parse_arguments(int argc, char **argv, struct ctl *ctl);

#endif
