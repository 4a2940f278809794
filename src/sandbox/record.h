/*
 * What was asked and answered, for whoever wants to see it: --record appends each exchange of the API
 * to a file as a line of JSON, {"method","target","request":{HEADERS},"body","status",
 * "answer":{HEADERS},"text"}. The API key is left out; what is no UTF-8 is null, and so is the status of
 * what a fault dropped. A fault that spoils an answer is told as "fault":true.
 */
#ifndef PUNCHD_SANDBOX_RECORD_H
#define PUNCHD_SANDBOX_RECORD_H

#include <stdio.h>

#include "sandbox/exchange.h"

/* Begin, or go on with, a file that others cannot read. Returns 0 or a negative errno, told. */
int record_open(const char *path, FILE **ret_file);

/* An exchange whose headers are set; sent: an answer leaves. A file that fails is told once, and the
 * server goes on. */
void record_exchange(FILE *file, const struct exchange *x, bool sent);

#endif
