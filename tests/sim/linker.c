#include "linker.h"

#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "gateway.h"
#include "plan.h"
#include "terminal.h"
#include "world.h"

static struct chance chance;

static void note(struct person *p, enum linked wanted, int status)
{
	/* It died over it, or its disk failed: done or not. */
	if (!gateway_lives() || status >= 500)
		p->linked = LINKED_UNSURE;
	else
		p->linked = wanted;
	p->linked_us = world.now_us;
}

static void link_person(struct person *p)
{
	char body[128], *answer;
	int status = 500;

	snprintf(body, sizeof body, "{\"kind\":\"pin\",\"value\":\"%s\",\"user_id\":\"%s\"}",
		p->pin, p->id);
	answer = gateway_ask_with("PUT", "/v1/links", body, &status);
	tell("an operator links pin %s to %s: %d", p->pin, p->id, status);
	free(answer);
	note(p, LINKED_YES, status);
}

static void unlink_person(struct person *p)
{
	char path[64], *answer;
	int status = 500;

	snprintf(path, sizeof path, "/v1/links?kind=pin&value=%s", p->pin);
	answer = gateway_ask_with("DELETE", path, "", &status);
	tell("an operator unlinks pin %s: %d", p->pin, status);
	free(answer);
	note(p, LINKED_NO, status);
}

static void on_turn(void *arg)
{
	struct person *p = &people[chance_below(&chance, world.plan->people)];

	(void)arg;
	if (world.quiet || !p->pin[0])
		return;
	if (!gateway.runs || !gateway_lives())
		world_in(chance_from(&chance, 10, 200) * MINUTE, on_turn, NULL);
	else if (p->linked == LINKED_YES && chance_of(&chance, 400))
		unlink_person(p);
	else if (p->linked != LINKED_YES)
		link_person(p);
}

void linker_begin(void)
{
	chance_init(&chance, world.plan->seed, "linker", 0);
	for (int i = 0; i < world.plan->people && world.plan->links > 0; i++) {
		if (chance_of(&chance, 400))
			snprintf(people[i].pin, sizeof people[i].pin, "%d", 7000 + i);
	}
	for (int i = 0; i < world.plan->links; i++)
		world_at(world.began_us + chance_below(&chance, world.plan->days * DAY), on_turn,
			NULL);
}

bool linker_ends(void)
{
	bool sure = true;

	for (int i = 0; i < world.plan->people; i++) {
		if (people[i].linked == LINKED_UNSURE)
			link_person(&people[i]);
		sure = sure && people[i].linked != LINKED_UNSURE;
	}
	return sure;
}
