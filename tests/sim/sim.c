#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#include "sim/crowd.h"
#include "sim/naive.h"
#include "sim/ours.h"
#include "sim/sim.h"
#include "sim/world.h"

static void
report(struct sim *sim)
{
	struct sim_result *r = &sim->result;

	snprintf(r->name, sizeof(r->name), "%s", sim->params.strategy == NULL ?
	    "naive" : sim->params.strategy);
	r->used = world_used(sim->world, &r->useful);
	r->cached = world_cached(sim->world);
	crowd_report(sim->crowd, r);
}

void
sim_run(const struct sim_params *params, struct sim_result *out)
{
	struct sim sim = { .params = *params };
	struct clock_fake clock;
	struct naive *naive = NULL;
	struct ours *ours = NULL;

	clock_fake_init(&clock, SIM_BEGIN_MS);
	agenda_init(&sim.agenda, &clock);
	if (params->strategy == NULL)
		naive = naive_new(&sim);
	else
		ours = ours_new(&sim);
	sim.world = world_new(&sim);
	sim.crowd = crowd_new(&sim);
	agenda_run(&sim.agenda);
	report(&sim);
	*out = sim.result;
	crowd_free(sim.crowd);
	world_free(sim.world);
	if (naive != NULL)
		naive_free(naive);
	if (ours != NULL)
		ours_free(ours);
	agenda_fini(&sim.agenda);
}
