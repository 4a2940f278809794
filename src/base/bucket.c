#include "base/bucket.h"

void bucket_init(struct bucket *b, int64_t interval_us, int64_t burst)
{
	*b = (struct bucket){
		.interval_us = interval_us,
		.burst_us = interval_us * burst,
		.full_at_us = INT64_MIN,
	};
}

bool bucket_take(struct bucket *b, int64_t now_us)
{
	int64_t full_at = b->full_at_us > now_us ? b->full_at_us : now_us;

	if (full_at + b->interval_us - now_us > b->burst_us)
		return false;
	b->full_at_us = full_at + b->interval_us;
	return true;
}
