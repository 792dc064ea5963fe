---@meta sim
-- What editors with a Lua language server need to know about scenarios.
-- The guide is docs/scenarios.md.

---A duration: "5s", "2.5s", "200us" (ns, us, ms, s, min, h).
---@alias duration string
---A range of durations: "5ms..50ms", or one duration.
---@alias durations string
---A size: "64KiB" (B, KiB, MiB, GiB).
---@alias size string
---A range of sizes: "16B..64B", or one size.
---@alias sizes string
---A share: "1%", "0.5%", "200ppm".
---@alias share string
---A rate: "50/s" (/s, /min, /h).
---@alias rate string
---@alias anynode integer|sim.Node
---@alias group anynode|anynode[]

---@class sim.Network
---@field delay? string one way: "1ms", "5ms..50ms", "5ms mean 20ms" (exponential)
---@field loss? share
---@field duplicate? share
---@field duplicate_within? duration
---@field reorder? share
---@field reorder_within? duration
---@field corrupt? share one bit flips
---@field truncate? share the end is missing
---@field extend? share up to 64 bytes more at the end
---@field splice? share begins as the message before it on that link
---@field misdeliver? share comes to a third node
---@field slow? share
---@field slow_within? duration
---@field burst? share by message: losses in a row begin
---@field burst_end? share by message: they end; "20%"
---@field burst_loss? share lost meanwhile; "100%"
---@field clog? share by message: the link stops, then delivers all in order
---@field clog_time? durations "100ms..2s"
---@field bandwidth? string "64KiB/s"
---@field queue? integer|size messages or bytes on their way; more is lost

---@class sim.Disk
---@field on_crash? "adversarial"|"ordered"|"strict"
---@field torn? "by_kind"|"never"|"always" whether a write may survive in part
---@field overwrite? "safe"|"unsafe" unsafe: a sector that was being written may be lost whole
---@field rename? "whole"|"loose" loose: may be seen half done after a power loss
---@field fsync_names? boolean an fsync of a new file keeps its name, too
---@field sector? size
---@field quota? size "0B" is no bound
---@field handles? integer
---@field fsync? durations from request to completion; "50us..2ms"
---@field latency? durations of each read and write
---@field stall? share
---@field stall_time? duration
---@field write_back? share
---@field read_error? share
---@field write_error? share
---@field short? share
---@field interrupt? share
---@field fsync_error? share
---@field fsync_no_space? share
---@field fsync_request_error? share
---@field open_error? share
---@field close_error? share
---@field truncate_error? share
---@field size_error? share
---@field rename_error? share
---@field unlink_error? share
---@field list_error? share
---@field fsync_lie? share
---@field rot? share by power loss
---@field rot_running? share by read and write
---@field latent? share by write and power loss: sectors go bad, and the next read finds it
---@field erase_block? size how far damage spreads; 8 sectors
---@field unreadable? share
---@field lost_write? share
---@field misdirect? share
---@field damage_budget? integer

---@class sim.Engine
---@field preset? "durable"|"fast"
---@field value_max? size
---@field changes_max? integer
---@field store_max? size
---@field peers_max? integer
---@field origins_max? integer
---@field segment? size
---@field snapshot? size how much the log grows before the next snapshot
---@field retain? size of log kept behind a snapshot for peers that lack it
---@field batch_size? integer
---@field window_ops? integer
---@field max_retries? integer
---@field retry_interval? duration
---@field retry_cap? duration
---@field probe_interval? duration
---@field ack_timeout? duration
---@field ack_delay? duration
---@field idle_hello? duration
---@field idle_mark? duration
---@field sweep_interval? duration
---@field fsync_spacing? duration
---@field clock_bound? duration

---@class sim.KvOptions
---@field keys? integer 16
---@field rate? rate all nodes together; "50/s"
---@field deletes? share
---@field hot? share of submits that go to key 0
---@field value? sizes "16B..64B"
---@field writers? integer only the first so many nodes write
---@field batch? share of submits that are one operation of several keys
---@field burst? integer
---@field variety? boolean keys and values of all shapes; false
---@field swarm? boolean each seed has some kinds of operations; false
---@field promise? "durable"|"submit"
---@field zipf? string exponent by which keys are drawn, the first most: "0.99"
---@field grow? rate at which there are more keys
---@field busy? durations of writing, and then
---@field quiet? durations of silence

---@class sim.Kv

---@class sim.Property

---@alias fault
---| "net_loss" | "net_duplicate" | "net_reorder" | "net_partition" | "net_corrupt" | "net_truncate" | "net_slow"
---| "net_burst" | "net_clog" | "net_overflow" | "net_bandwidth" | "net_rule" | "clock_strobe" | "power_loss" | "power_loss_in_call" | "process_crash" | "pause" | "wipe"
---| "restore" | "alloc" | "clock_step" | "clock_drift" | "clock_freeze" | "disk_lost_pending" | "disk_torn"
---| "disk_reordered" | "disk_garbage" | "disk_size" | "disk_directory" | "disk_write_back" | "disk_full"
---| "disk_read_error" | "disk_write_error" | "disk_short" | "disk_interrupt" | "disk_fsync_error" | "disk_fsync_lie"
---| "disk_fsync_cut" | "disk_latency" | "disk_stall" | "disk_rot" | "disk_unreadable" | "disk_lost_write"
---| "disk_misdirected" | "disk_handles" | "disk_overwrite" | "disk_rename_half" | "disk_open_error" | "disk_close_error"
---| "disk_truncate_error" | "disk_size_error" | "disk_rename_error" | "disk_unlink_error" | "disk_list_error"
---| "disk_fsync_request_error" | "disk_fsync_no_space" | "disk_latent" | "net_misdeliver" | "net_extend" | "net_splice"

---@class sim.Merge

---@alias policy
---| sim.Merge
---| "last_write_wins" | "keep_local" | "keep_remote" | "manual" | "merge_union" | "merge_longest" | "merge_greatest"

---@class sim.NodeOptions what one node has of its own
---@field engine? sim.Engine over that of all
---@field clock? string how far its wall clock starts ahead: "-1h"
---@field policy? policy
---@field policies? table<string, policy>

---@class sim.ScenarioOptions
---@field name string what must hold, in a few words
---@field story? string the real failure that it stands for
---@field tags? string[] by which --tag chooses: { "smoke" }
---@field nodes? integer 1 to 64; 3
---@field absent? integer[] nodes that never take part
---@field choices? table<string, integer> what chance decides, by name ("disk_style n2 1a7cf0df"); all else is calm
---@field spares? integer nodes that world:add_node() adds
---@field topology? "mesh"|"line"|"ring"|"star"|"random"
---@field duration? duration of faults; "20s"
---@field settle? duration to converge in; "120s"
---@field workload? sim.Kv
---@field network? sim.Network
---@field disk? sim.Disk
---@field engine? sim.Engine
---@field shuffle? boolean simultaneous events in an order that the seed chooses
---@field faults? "written"|"swarm" swarm: each seed has a random half of all faults, each at a strength of its own
---@field swarm? boolean each seed turns off a random half of the faults
---@field vary? boolean each seed has another shape of it
---@field policy? policy what becomes of conflicts; "last_write_wins"
---@field policies? table<string, policy> of keys that begin so
---@field node_options? table<integer, sim.NodeOptions>
---@field must_fail? string a canary: the property that must be violated
---@field expects? fault[] faults that run causes
---@field run? fun(world: sim.World)
---@field properties? sim.Property[]
---@field without? table<string, string> oracles that are switched off, and why
---@field variants? table<string, table<string, integer|boolean|string>> parameters of each

---@class sim.Scenario

---@class sim
local sim = {}

---@param options sim.ScenarioOptions
---@return sim.Scenario
function sim.scenario(options) end

---A parameter: the standard, or what the command line or a variant sets. At the top of the file only.
---@generic T: integer|boolean|string
---@param name string
---@param standard T
---@param about? string
---@return T
function sim.param(name, standard, about) end

---@param options sim.KvOptions
---@return sim.Kv
function sim.kv(options) end

---A conflict policy: what a key with several values reads as. The function sees its arguments alone, is called any
---number of times, and gives the same whatever the order of the values; nil: they cannot be merged.
---@param merge fun(key: string, values: string[]): string?
---@return sim.Merge
function sim.merge(merge) end

---Must be true every 100 ms of simulated time, and at the end.
---@param name string
---@param holds fun(world: sim.World): boolean, string? the text says what was seen
---@return sim.Property
function sim.always(name, holds) end

---Must not become true: looked at as sim.always is.
---@param name string
---@param holds fun(world: sim.World): boolean, string?
---@return sim.Property
function sim.never(name, holds) end

---Must be true at some look, in at least one run of a suite; of a list, one step after the other.
---@param name string
---@param holds (fun(world: sim.World): boolean, string?)|{ [1]: string, [2]: fun(world: sim.World): boolean }[]
---@return sim.Property
function sim.sometimes(name, holds) end

---Must become true within that time after faults stopped.
---@param name string
---@param within duration
---@param holds fun(world: sim.World): boolean, string?
---@return sim.Property
function sim.eventually(name, within, holds) end

---@class sim.Cut
local cut = {}

---Mends what this cut cut, or ends its flap or clog; once.
function cut:heal() end

---@class sim.Rule
local rule = {}

---Ends it; what it held arrives now, in order.
function rule:remove() end

---One action: drop, delay, duplicate or hold.
---@class sim.RuleOptions
---@field from? anynode any when left out
---@field to? anynode any when left out
---@field kind? "any"|"hello"|"ops"|"fetch"|"block"|"news"
---@field drop? integer|true so many messages, or all
---@field hold? integer|true until it is removed
---@field duplicate? integer|true
---@field after? duration how much later duplicates come
---@field delay? duration
---@field count? integer so many messages are delayed; all when left out

---What can happen; docs/scenarios.md, "Hooks", says what each has.
---@alias sim.What
---| "sent" | "delivered" | "lost" | "fsync_requested" | "fsync_done" | "file_written" | "file_renamed" | "file_unlinked"
---| "boot" | "down" | "fault" | "open" | "close" | "submit" | "own_write" | "apply" | "duplicate" | "not_yet" | "send_op"
---| "durable" | "mark" | "send_hello" | "send_news" | "known" | "ignored_hello" | "timeout" | "parked" | "revived"
---| "refused" | "fail_stop" | "rotate" | "trim" | "snapshot" | "snapshot_fail" | "offer" | "fetch" | "send_block" | "merge"

---Which of them; each event has some of these.
---@class sim.EventOptions
---@field node? anynode to whom it happens
---@field from? anynode
---@field to? anynode
---@field kind? "any"|"hello"|"ops"|"fetch"|"block"|"news"
---@field peer? anynode
---@field author? anynode
---@field file? string how its name begins
---@field why? string
---@field failed? boolean
---@field nth? integer at this one alone
---@field count? integer at so many

---@class sim.Event
---@field what sim.What
---@field at integer nanoseconds
---@field nth integer of those that match
---@field node sim.Node of all but "fault"
---@field from integer
---@field to integer
---@field kind string
---@field size integer
---@field why string
---@field file string
---@field directory boolean
---@field result string
---@field offset integer
---@field status string
---@field epoch integer
---@field durable integer
---@field appended integer
---@field cut integer
---@field author integer
---@field incarnation string
---@field seq integer
---@field position integer
---@field peer integer
---@field lives integer
---@field told integer
---@field asked integer
---@field session string
---@field replaced boolean
---@field retries integer
---@field next integer
---@field id string
---@field again boolean

---@class sim.Hook
local hook = {}

---Ends it.
function hook:remove() end

---@class sim.Stats
---@field submits integer
---@field refused integer
---@field promised integer
---@field opens integer
---@field closes integer
---@field submitted integer
---@field own_writes integer
---@field applied integer
---@field duplicates integer
---@field not_yet integer
---@field durables integer
---@field sent integer
---@field hellos integer
---@field news integer
---@field acknowledgements integer
---@field ignored_hellos integer
---@field timeouts integer
---@field retries integer
---@field parked integer
---@field revived integer
---@field refusals integer
---@field fail_stops integer
---@field rotations integer
---@field marks integer
---@field snapshots integer
---@field snapshots_failed integer
---@field trims integer
---@field offers integer
---@field fetches integer
---@field blocks integer
---@field merges integer

---@class sim.FaultCount so far
---@field opportunities integer
---@field firings integer

---@class sim.World
local world = {}

---@param time duration
function world:sleep(time) end

---Looks every 10 ms; false when the time passed.
---@param holds fun(world: sim.World): boolean
---@param within duration
---@return boolean
function world:wait_until(holds, within) end

---A hook: runs as a task, right after the event in which it happened, before anything else.
---@param what sim.What
---@param which sim.EventOptions
---@param run fun(world: sim.World, event: sim.Event)
---@return sim.Hook
---@overload fun(self: sim.World, what: sim.What, run: fun(world: sim.World, event: sim.Event)): sim.Hook
function world:on(what, which, run) end

---Waits until it happens; nil when the time passed.
---@param what sim.What
---@param which sim.EventOptions
---@param within duration
---@return sim.Event?
---@overload fun(self: sim.World, what: sim.What, within: duration): sim.Event?
function world:wait_for(what, which, within) end

---Starts another task beside this one.
---@param task fun(world: sim.World, ...)
---@param ... any
function world:spawn(task, ...) end

---@return integer ns simulated time
---@return string text
function world:now() end

---@param from duration
---@param to duration
---@return duration
function world:between(from, to) end

---1 to n, or one of the list.
---@generic T
---@param list T[]
---@return T
---@overload fun(self: sim.World, n: integer): integer
function world:pick(list) end

---@param how_often share
---@return boolean
function world:chance(how_often) end

---@param number anynode
---@return sim.Node
function world:node(number) end

---@return sim.Node[]
function world:nodes() end

---@class sim.AddNode
---@field peers? anynode[] who know it, and whom it knows

---The next spare node is there, with an empty disk, and boots.
---@param options? sim.AddNode
---@return sim.Node
function world:add_node(options) end

---@param a group
---@param b group
---@return sim.Cut
function world:partition(a, b) end

---What `from` sends does not arrive at `to`.
---@param from group
---@param to group
---@return sim.Cut
function world:partition_one_way(from, to) end

---@param node anynode
---@return sim.Cut
function world:isolate(node) end

---Two halves that the seed chooses.
---@return sim.Cut
function world:partition_halves() end

---Two halves, and one node that talks to both.
---@param bridge? anynode the seed chooses when left out
---@return sim.Cut
function world:partition_bridge(bridge) end

---Each node sees a majority, no two the same one.
---@return sim.Cut
function world:partition_ring() end

---One shape of them all.
---@return sim.Cut
function world:partition_random() end

---Cut for a time, mended for a time, and so on until it is healed.
---@param a group
---@param b group
---@param down durations
---@param up durations
---@return sim.Cut
function world:flap(a, b, down, up) end

---Messages both ways wait, then arrive in order.
---@param a group
---@param b group
---@param time? duration until it is healed when left out
---@return sim.Cut
function world:clog(a, b, time) end

---Clogs nodes one by one and releases them in another order.
---@param time duration all of it
---@param nodes? group some that the seed chooses when left out
function world:swizzle(time, nodes) end

---@param options sim.RuleOptions
---@return sim.Rule
function world:rule(options) end

---Mends every link: cuts, flaps, clogs, swizzles.
function world:heal_all() end

---Network options for one directed link: world:link(1, 2) { loss = "50%" }
---@param from anynode
---@param to anynode
---@return fun(options: sim.Network)
function world:link(from, to) end

---@param what "start"|"stop"
function world:workload(what) end

---@return sim.Stats
function world:stats() end

---@param name fault
---@return sim.FaultCount
function world:fault(name) end

---All up and nothing owed.
---@return boolean
function world:drained() end

---All up and equal.
---@return boolean
function world:converged() end

---Runs the oracles that hold at any moment.
function world:check() end

---@param text any
function world:log(text) end

---A violation, named after the scenario.
---@param text string
function world:fail(text) end

---Takes the power from all nodes at one instant.
function world:power_loss() end

---A frame that `from` never sent arrives: "hello", or bytes.
---@param from integer|sim.Node
---@param to integer|sim.Node
---@param what string
function world:forge(from, to, what) end

---@alias sim.Calls "changes"|"all"|"open"|"close"|"read"|"write"|"truncate"|"size"|"rename"|"unlink"|"list"|"fsync_file"|"fsync_dir"|"alloc"|"free"|"clock"|"unique"|"pick"|"send"

---@class sim.Call
---@field call sim.Calls
---@field nth? integer 1

---@class sim.Crash
---@field within? integer inside one of the next so many calls
---@field at? integer|sim.Call inside this call from now
---@field calls? sim.Calls which calls count: those that change disk or network

---@class sim.Restart
---@field crash_within? integer inside one of the next so many calls
---@field crash_at? integer|sim.Call inside this call from now
---@field calls? sim.Calls which calls count: those that change disk or network

---@class sim.ClockChange
---@field step? string moves the wall clock: "-1h"
---@field rate? string bends both clocks: "200ppm"
---@field freeze? boolean stops the wall clock
---@field strobe? string the wall clock jumps so far and back; "0s" ends it
---@field every? duration a jump each; "10ms"
---@field lasting? duration "1s"

---@class sim.ListOptions
---@field from? string keys from this one on, bytewise
---@field limit? integer so many at most
---@field deleted? boolean deleted ones too

---@alias sim.State "up"|"down"|"paused"|"refused"

---@class sim.Outbox
---@field size integer operations that it owes

---@class sim.Tombstones
---@field size integer that it holds
---@field sweeps integer operations that swept, since it started
---@field swept integer tombstones, since it started

---@class sim.File
---@field name string
---@field size integer

---@class sim.Node
local node = {}

---Power loss: now, or inside a later call.
---@param when? sim.Crash
function node:crash(when) end

---The process dies, the page cache lives.
---@param when? sim.Crash
function node:process_crash(when) end

---Boots it; does nothing when it is up.
---@param options? sim.Restart
---@return boolean up
function node:restart(options) end

function node:stop() end
function node:pause() end
function node:resume() end

---Empties its disk.
function node:wipe() end

---Keeps what its platter holds now, in place of an earlier backup; the node may be up.
function node:backup() end

---Takes it down and sets its disk back to the backup, any number of times.
function node:restore() end

---From now on allocations beyond it fail, in a boot too.
---@param bytes size "0B" is no bound
function node:memory_quota(bytes) end

---The n-th allocation from now fails, once; 1 is the next, 0 disarms.
---@param n integer
function node:fail_alloc(n) end

---@param options sim.ClockChange
function node:clock(options) end

---@param options sim.Disk
function node:disk(options) end

---The workload's by number, or any text of 1 to 1,024 bytes.
---@alias sim.Key integer|string

---@class sim.Value
---@field text? string its bytes
---@field size? size a value like no other; "32B"

---@param key sim.Key
---@param value? size|sim.Value
---@return boolean taken
---@return string status
function node:put(key, value) end

---@param key sim.Key
---@return boolean taken
---@return string status
function node:delete(key) end

---@class sim.Change: sim.Value
---@field key sim.Key
---@field delete? boolean

---One operation of several changes, all or nothing.
---@param changes sim.Change[] at most 1,024
---@return boolean taken
---@return string status
function node:submit(changes) end

---@param key sim.Key
---@return string? value the bytes that it reads as
---@return string status
function node:read(key) end

---The number of the value in the ledger, nil when absent, or merged into one that nobody put.
---@param key sim.Key
---@return integer?
function node:get(key) end

---@class sim.Sibling
---@field value? string nil: it was deleted
---@field deleted boolean
---@field number? integer of the value in the ledger
---@field node integer who wrote it; 0: none of these nodes
---@field automatic boolean a policy wrote it

---All values that the key has, by writer.
---@param key sim.Key
---@return sim.Sibling[]
function node:siblings(key) end

---@class sim.Found
---@field key sim.Key
---@field value? string nil: it was deleted
---@field deleted boolean
---@field conflict boolean
---@field merged boolean nobody put it: a merge made it
---@field number? integer of the value in the ledger

---The keys that begin so, in bytewise order; empty when it is down.
---@param prefix? string
---@param options? sim.ListOptions
---@return sim.Found[]
function node:list(prefix, options) end

---A key in conflict, as the node lists it.
---@class sim.Conflict
---@field key sim.Key
---@field siblings integer
---@field settled boolean policies wrote all of them
---@field policy "last_write_wins"|"keep_local"|"keep_remote"|"manual"|"merge"
---@field token string names these siblings

---In bytewise order of the keys; empty when it is down.
---@return sim.Conflict[]
function node:conflicts() end

---Writes if the key still has the siblings that the token names.
---@param key sim.Key
---@param token string
---@param value? size|sim.Value|"delete" "32B"
---@return boolean taken
---@return string status "SYNC_E_STALE": it has others
function node:resolve(key, token, value) end

---How many keys in conflict its policies have resolved since it started; 0 when it is down.
---@return integer
function node:resolved() end

---Its policy from now on, of all keys or of those that begin so.
---@param policy policy
---@param prefix? string
---@return string status "SYNC_E_POWERED_OFF": it is down, and starts with it; of a paused one: nothing changed
function node:policy(policy, prefix) end

---@return boolean
function node:up() end

---@return sim.State
function node:state() end

---@return sim.Outbox
function node:outbox() end
---What it holds; what its engine has swept since it started. All 0 when it is not up.
---@return sim.Tombstones
function node:tombstones() end
---@return integer? damaged records of its log
function node:verify() end
---A reader of its change feed reads on to the end.
---@return integer? operations that it was told of
---@return integer? times that it had to begin anew
function node:follow() end
---@return boolean false when it is not up
function node:snapshot() end
---Boots it with leave to put damage aside.
---@return boolean up
function node:repair() end
---It is gone for good: never boots again, and nobody's peer any more.
function node:retire() end

---It is told that the other one is its peer; the other one is told nothing.
---@param other anynode
---@return boolean done of a node that is down: when it starts
function node:add_peer(other) end

---It is told that the other one is its peer no more.
---@param other anynode
---@return boolean done
function node:remove_peer(other) end

---Has it try the peer again at once.
---@param other anynode
---@return boolean
function node:retry(other) end

---@return integer
function node:number() end

---@return integer calls to the environment so far
function node:calls() end

---@return integer
function node:lives() end

---@return integer bytes
function node:disk_used() end

---@return sim.File[]
function node:files() end

---Flips a bit of what is durable and of what is live.
---@param name string
---@param bit integer
---@return boolean done
function node:disk_flip(name, bit) end

---Sectors that give an error until they are written again.
---@param name string
---@param sector integer
---@param count? integer 1
---@return boolean done
function node:disk_unreadable(name, sector, count) end

return sim
