#include "terminal/shelf.h"

void shelf_init(struct shelf *s)
{
	*s = (struct shelf){0};
	for (int i = 0; i < SHELF_PLACES; i++)
		TAILQ_INIT(&s->places[i]);
}

static void record_free(struct record *r)
{
	free(r->id);
	free(r->body);
	free(r);
}

void shelf_done(struct shelf *s)
{
	struct record *r;

	for (int i = 0; i < SHELF_PLACES; i++) {
		while ((r = TAILQ_FIRST(&s->places[i])))
			shelf_remove(s, r);
	}
}

struct record *shelf_add(struct shelf *s, enum shelf_place place, const char *id, char *body)
{
	struct record *r = calloc(1, sizeof *r);

	if (!r) {
		free(body);
		return NULL;
	}
	*r = (struct record){.place = place, .id = strdup(id), .body = body};
	if (!r->id || !r->body) {
		record_free(r);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&s->places[place], r, entry);
	s->counts[place]++;
	return r;
}

void shelf_remove(struct shelf *s, struct record *r)
{
	TAILQ_REMOVE(&s->places[r->place], r, entry);
	s->counts[r->place]--;
	record_free(r);
}

struct record *shelf_first(const struct shelf *s, enum shelf_place place)
{
	return TAILQ_FIRST(&s->places[place]);
}

struct record *shelf_find(const struct shelf *s, enum shelf_place place, const char *id)
{
	struct record *r;

	TAILQ_FOREACH(r, &s->places[place], entry)
	{
		if (strcmp(r->id, id) == 0)
			return r;
	}
	return NULL;
}

int64_t shelf_count(const struct shelf *s, enum shelf_place place)
{
	return s->counts[place];
}

int64_t shelf_total(const struct shelf *s)
{
	return s->counts[SHELF_FRESH] + s->counts[SHELF_WAITING] + s->counts[SHELF_FLYING];
}

static void move(struct shelf *s, struct record *r, enum shelf_place to)
{
	TAILQ_REMOVE(&s->places[r->place], r, entry);
	s->counts[r->place]--;
	r->place = to;
	TAILQ_INSERT_TAIL(&s->places[to], r, entry);
	s->counts[to]++;
}

void shelf_settle(struct shelf *s)
{
	struct record *r;

	while ((r = shelf_first(s, SHELF_FRESH)))
		move(s, r, SHELF_WAITING);
}

void shelf_launch(struct shelf *s, int64_t n)
{
	for (; n > 0; n--)
		move(s, shelf_first(s, SHELF_WAITING), SHELF_FLYING);
}

void shelf_land(struct shelf *s)
{
	struct record *r;

	/* What waited goes behind what flew, and then all of it waits. */
	while ((r = shelf_first(s, SHELF_WAITING)))
		move(s, r, SHELF_FLYING);
	while ((r = shelf_first(s, SHELF_FLYING))) {
		r->tries = 0;
		move(s, r, SHELF_WAITING);
	}
}
