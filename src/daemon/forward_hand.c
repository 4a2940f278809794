/* Punches that a person acts on while the forwarder knows them. */
#include "daemon/forward_private.h"

bool forward_busy(const struct forward *f, int64_t seq)
{
	const struct outbox_entry *e = outbox_find(&f->outbox, seq);

	if ((e && e->step != OUTBOX_WAITING) || f->suspect.seq == seq)
		return true;
	for (size_t i = 0; i < f->settlements.count; i++) {
		if (f->settlements.list[i].seq == seq)
			return true;
	}
	return false;
}
