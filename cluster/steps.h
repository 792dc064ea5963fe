/* The steps of a cluster, as they enter the trace. */
#ifndef CLUSTER_STEPS_H
#define CLUSTER_STEPS_H

/* Steps that the cluster folds into the trace (field 0 of SIM_STEP_CLUSTER). */
enum cluster_step {
  CLUSTER_STEP_SUBMIT = 1,  /* {operation index, changes, status} */
  CLUSTER_STEP_PROMISE = 2, /* {operations newly promised, durable position} */
  CLUSTER_STEP_OPEN = 3,    /* {status, detail hash} */
  CLUSTER_STEP_CHECK = 4,   /* {state digest, vector digest} */
  CLUSTER_STEP_BELIEF = 5,  /* {peer's node, peer state | retries << 8, owed, in flight, next try on its clock,
                               known to hold so many of the origin in question + 1, 0: nothing known} */
};

#endif
