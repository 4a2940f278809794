/* What holds at one terminal: its settings, else its profile's, else the site's (punchd.conf(5)). */
#ifndef PUNCHD_CORE_RULES_H
#define PUNCHD_CORE_RULES_H

#include <stdint.h>

#include "base/zone.h"

/* What decides where a terminal does not say whether somebody comes or goes (JUDGING.md §5). */
enum direction_rule {
	DIRECTION_ALTERNATE,
	DIRECTION_CHECK_IN,
	DIRECTION_CHECK_OUT,
	DIRECTION_HOLD,
};

/* What becomes of a punch whose answer was lost, where the cloud is not known to honour idempotency
 * keys (CLOUD-API.md, Errors). */
enum doubt_rule {
	DOUBT_RESEND,
	DOUBT_HOLD,
};

struct terminal_rules {
	const char *serial; /* its serial_number in the cloud */
	const struct zone *zone;
	enum direction_rule direction;
	int64_t double_tap_s; /* window; 0: off */
};

#endif
