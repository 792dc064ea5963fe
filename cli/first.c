#include "cli/first.h"

#include <string.h>

/* {NAME} and {FILE} are filled in. */
static const char text[] =
    "-- {NAME}: what it is about, in a line or two.\n"
    "--\n"
    "--   syncsim run {FILE}                   20 seeds: each is another run\n"
    "--   syncsim run {FILE} --seed 7 --trace  one of them, told as a timeline\n"
    "--   syncsim check {FILE}                 only looks whether the file is right\n"
    "--\n"
    "-- Every word is in docs/scenarios.md; an editor with a Lua language server completes them from lua/sim.d.lua.\n"
    "local sim = require \"sim\"\n"
    "\n"
    "return sim.scenario {\n"
    "  -- What must hold, in a few words; and the real failure that it stands for, if there was one.\n"
    "  name  = \"{NAME}\",\n"
    "  story = \"a laptop went to sleep in the middle of a sync, and its last notes were gone\",\n"
    "\n"
    "  -- The world: how many nodes, and for how long faults strike (simulated time). Then faults stop, and all must "
    "become equal.\n"
    "  nodes    = 3,\n"
    "  duration = \"10s\",\n"
    "  workload = sim.kv { keys = 20, rate = \"50/s\", deletes = \"10%\" }, -- who writes what: all nodes, at random\n"
    "\n"
    "  -- Faults by chance. Quantities are texts with units; \"1ms..20ms\" is drawn anew for each message.\n"
    "  network = { delay = \"1ms..20ms\", loss = \"2%\", duplicate = \"1%\" },\n"
    "  disk    = { fsync = \"1ms..10ms\" },\n"
    "  engine  = { ack_timeout = \"500ms\", retry_interval = \"200ms\" }, -- short, so that ten seconds hold much\n"
    "\n"
    "  -- Faults that `run` causes must be named: a suite in which one of them never fires tested nothing, and fails.\n"
    "  expects = { \"power_loss\", \"net_partition\" },\n"
    "\n"
    "  -- What happens. The seed decides what is left open: between, pick and chance are its draws.\n"
    "  run = function(world)\n"
    "    local node = world:node(world:pick(3))\n"
    "    world:sleep(world:between(\"500ms\", \"2s\"))\n"
    "    local cut = world:isolate(node)          -- nobody hears it, but it goes on writing\n"
    "    world:sleep(world:between(\"100ms\", \"1s\"))\n"
    "    node:crash()                             -- power loss: what no fsync confirmed may be gone\n"
    "    world:sleep \"500ms\"\n"
    "    cut:heal()\n"
    "    if not node:restart() then world:fail(\"node \" .. node:number() .. \" does not start\") end\n"
    "    world:log(\"node \" .. node:number() .. \" is back\")\n"
    "  end,\n"
    "\n"
    "  -- The built-in oracles always judge (durability, convergence, ...). These are this scenario's own.\n"
    "  properties = {\n"
    "    -- true whenever it is looked at\n"
    "    sim.always(\"no more than one node is down\", function(world)\n"
    "      local down = 0\n"
    "      for _, node in ipairs(world:nodes()) do\n"
    "        if not node:up() then down = down + 1 end\n"
    "      end\n"
    "      return down <= 1\n"
    "    end),\n"
    "    -- true at least once, in at least one of all the seeds: shows that the trouble was real\n"
    "    sim.sometimes(\"somebody waited for an answer in vain\", function(world) return world:stats().timeouts > 0 "
    "end),\n"
    "    -- true at the latest so long after faults stopped\n"
    "    sim.eventually(\"every node has everything\", \"30s\", function(world) return world:converged() and "
    "world:drained() end),\n"
    "  },\n"
    "}\n";

static bool put(FILE *file, const char *bytes, size_t size) {
  return fwrite(bytes, 1, size, file) == size;
}

bool first_write(FILE *file, const char *path, const char *name) {
  bool ok = true;
  for (const char *at = text; ok && *at != '\0';) {
    const char *brace = strchr(at, '{');
    const char *word = brace == NULL                      ? NULL
                       : strncmp(brace, "{NAME}", 6) == 0 ? name
                       : strncmp(brace, "{FILE}", 6) == 0 ? path
                                                          : NULL;
    const size_t plain = brace == NULL ? strlen(at) : (size_t)(brace - at) + (word == NULL);
    ok = put(file, at, plain) && (word == NULL || put(file, word, strlen(word)));
    at += plain + (word == NULL ? 0 : 6);
  }
  return ok;
}
