#include "cluster/trace_names.h"

#include "cluster/state.h"

void cluster_name_steps(struct cluster *cluster) {
  static const struct {
    enum cluster_step step;
    const char *sentence;
  } names[] = {
      {CLUSTER_STEP_SUBMIT, "the workload submits operation %u1 of %u2 changes: %s3"},
      {CLUSTER_STEP_PROMISE, "%u1 operations are promised, durable to %u2"},
      {CLUSTER_STEP_OPEN, "its engine's state is looked at after a boot"},
      {CLUSTER_STEP_CHECK, "its digest is compared: state %x1, vector %x2"},
      {CLUSTER_STEP_BELIEF, "it owes its peer n%u1 %u3 operations, %u4 in flight, next try at %t5 of its clock"},
  };
  struct sim_world *world = cluster->world;
  if (!sim_trace_recording(world)) return;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    sim_trace_name(world, SIM_NAME_STEP, SIM_STEP_CLUSTER, names[i].step, names[i].sentence);
  for (uint32_t i = 1; i <= cluster->config.nodes; i++)
    sim_trace_name(world, SIM_NAME_NODE, 0, cluster->nodes[i].hash, cluster->nodes[i].name);
}
