#include "cluster/belief.h"

#include <string.h>

#include "cluster/backoffs.h"
#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/seldom.h"
#include "cluster/state.h"
#include "cluster/replica.h"
#include "cluster/snapshot.h"
#include "cluster/traffics.h"

#define HELLO_GOES_ON 16u /* flag of a HELLO: the next one is part of it */

struct belief {
  struct cluster *cluster;
  uint32_t node; /* whose disk is asked */
  uint32_t to;   /* whom the frame is for */
  uint64_t subject[3];
  uint64_t held;
};

static bool is_damaged(struct cluster *cluster, uint32_t node) {
  return sim_disk_damaged(cluster->nodes[node].disk);
}

static inline bool holds_durably(struct belief *belief, uint32_t life, uint64_t seq) {
  const struct replica *replica = &belief->cluster->nodes[belief->node].replica;
  if (life != LEDGER_NONE && seq <= replica_durable(replica, life)) return true;
  bool holds = life != LEDGER_NONE && replica_holds_durably(belief->cluster, belief->node, life, seq);
  belief->held = life == LEDGER_NONE ? 0 : replica_durable(replica, life);
  return holds;
}

/* --- What is believed --------------------------------------------------------------------- */

/* A vector of many entries is read at every frame, and of most of them nothing is new:
 * they are what the hints and the durable array say, one after the other. */
struct believing {
  uint64_t session, believed; /* of the other; the one that is believed in */
  const struct replica_hint *hint;
  const uint32_t *durable;
  uint32_t believer;
  bool wrong;
  struct belief belief;
};

/* So that there is a hint at that place, used or not, and a durable number for every
 * life. A hint that is used has another one behind it: believed_anew() sees to that,
 * and believed() may go on to it unasked. */
static inline void take_arrays(struct believing *believing, struct replica *believer, struct replica *other,
                               uint32_t place) {
  struct cluster *cluster = believing->belief.cluster;
  CLUSTER_GROW(cluster->world, believer->hints, believer->hint_capacity, place + 1u);
  CLUSTER_GROW(cluster->world, other->durable, other->durable_capacity, cluster->ledger.life_count + 1u);
  believing->hint = believer->hints + place;
  believing->durable = other->durable;
}

CLUSTER_SELDOM static int believed_anew(struct believing *believing, const struct sync_origin *origin, uint64_t seq) {
  struct belief *belief = &believing->belief;
  struct replica *believer = &belief->cluster->nodes[believing->believer].replica;
  uint32_t place = (uint32_t)(believing->hint - believer->hints);
  if (believing->believed != believing->session) return 1; /* of another run of it */
  uint32_t life = ledger_life_find(&belief->cluster->ledger, origin->incarnation);
  if (life != LEDGER_NONE) believer->hints[place] = (struct replica_hint){origin->incarnation, life + 1u};
  bool holds = holds_durably(belief, life, seq);
  take_arrays(believing, believer, &belief->cluster->nodes[belief->node].replica, place + 1u);
  if (holds) return 0;
  belief->subject[0] = sync_node_hash(origin->node_id);
  belief->subject[1] = origin->incarnation;
  belief->subject[2] = seq;
  believing->wrong = true;
  return 1;
}

static int believed(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct believing *believing = arg;
  const struct replica_hint *hint = believing->hint;
  /* An incarnation is of one life for good. */
  if (believing->believed != believing->session || hint->incarnation != origin->incarnation ||
      seq > believing->durable[hint->durable_at])
    return believed_anew(believing, origin, seq);
  believing->hint = hint + 1;
  return 0;
}

CLUSTER_SELDOM static void believes_wrongly(const struct believing *believing) {
  const struct belief *belief = &believing->belief;
  const struct cluster *cluster = belief->cluster;
  sim_violation(cluster->world, CLUSTER_HONEST_ACKS, believing->believer, belief->subject,
                "%s believes that %s holds operations n%u/%016llx up to %llu durably; durable there are %llu",
                cluster->nodes[believing->believer].name, cluster->nodes[belief->node].name,
                cluster_node_of_hash(belief->subject[0], cluster->config.nodes), (unsigned long long)belief->subject[1],
                (unsigned long long)belief->subject[2], (unsigned long long)belief->held);
}

void cluster_check_belief(struct cluster *cluster, uint32_t node, uint32_t other) {
  struct cluster_node *believer = &cluster->nodes[node], *there = &cluster->nodes[other];
  const struct cluster_software *software = sim_node_software(believer->machine);
  const struct cluster_software *others = sim_node_software(there->machine);
  if (!software || !others || !others->engine || software->peer_of[other] == SYNC_PEER_NONE) return;
  if (!there->replica.following || sim_disk_damaged(there->disk)) return;
  struct believing believing;
  believing.belief.cluster = cluster;
  believing.belief.node = other;
  believing.believer = node;
  believing.session = sync_session(others->engine);
  believing.wrong = false;
  take_arrays(&believing, &believer->replica, &there->replica, 0);
  int status = sync_peer_vector(software->engine, software->peer_of[other], &believing.believed, believed, &believing);
  if (status != SYNC_E_PEER && believing.wrong) believes_wrongly(&believing);
}

/* --- What is said ---------------------------------------------------------------------------- */

CLUSTER_SELDOM static void mumbles(const struct belief *belief, const char *what) {
  static const uint64_t nothing[3] = {0, 0, 0};
  sim_violation(belief->cluster->world, CLUSTER_HONEST_ACKS, belief->node, nothing, "%s sent a frame that %s",
                belief->cluster->nodes[belief->node].name, what);
}

/* What an entry says of other lives of the node: what its first operation had seen. */
static bool birth_is_true(const struct cluster *cluster, uint32_t life, struct decode_birth *birth) {
  const struct ledger *ledger = &cluster->ledger;
  const struct ledger_operation *first = &ledger->operations[ledger->lives[life].operations[0]];
  for (uint64_t i = 0; i < birth->count; i++) {
    uint64_t incarnation, seq;
    decode_birth_next(birth, &incarnation, &seq);
    uint32_t elder = ledger_life_find(ledger, incarnation);
    bool found = false;
    for (uint32_t k = 0; k < first->held_count && !found; k++) {
      const struct ledger_held *held = &ledger->held[first->held_first + k];
      found = held->life == elder && held->seq == seq && ledger->lives[elder].node == ledger->lives[life].node;
    }
    if (!found) return false;
  }
  return true;
}

/* Whether its node held none of its other lives when it began: only then is there nothing to say of its birth. */
CLUSTER_SELDOM static bool is_first(struct cluster *cluster, uint32_t life) {
  const struct ledger *ledger = &cluster->ledger;
  struct ledger_life *known = &cluster->ledger.lives[life];
  const struct ledger_operation *first = &ledger->operations[known->operations[0]];
  for (uint32_t k = 0; k < first->held_count; k++) {
    const struct ledger_held *held = &ledger->held[first->held_first + k];
    if (held->seq > 0 && held->life != life && ledger->lives[held->life].node == known->node) return false;
  }
  known->first = true;
  return true;
}

/* Once for the same bytes, which the ledger keeps; false: it is not true. */
CLUSTER_SELDOM static bool birth_is_new(struct cluster *cluster, uint32_t life, struct decode_reader *reader) {
  struct ledger_life *known = &cluster->ledger.lives[life];
  const uint8_t *bytes = reader->at;
  struct decode_birth birth;
  if (!decode_birth(reader, &birth) || !birth.count) return true; /* what is bad is told at the end */
  if (!birth_is_true(cluster, life, &birth)) return false;
  uint32_t size = (uint32_t)(reader->at - bytes);
  CLUSTER_GROW(cluster->world, known->birth, known->birth_capacity, size);
  memcpy(known->birth, bytes, size);
  known->birth_size = size;
  return true;
}

static inline bool birth_is_known(struct cluster *cluster, uint32_t life, struct decode_reader *reader) {
  const struct ledger_life *known = &cluster->ledger.lives[life];
  static const uint8_t none[1] = {0};
  if (decode_birth_skip(reader, none, 1)) return known->first || is_first(cluster, life);
  if (decode_birth_skip(reader, known->birth, known->birth_size)) return true;
  struct decode_reader copy = *reader; /* which stays in registers */
  bool right = birth_is_new(cluster, life, &copy);
  *reader = copy;
  return right;
}

static inline bool is_named(const struct cluster_node *node, struct decode_name name) {
  if (name.size != node->name_size) return false;
  uint8_t at = 0; /* two or three bytes */
  while (at < name.size && name.bytes[at] == (uint8_t)node->name[at])
    at++;
  return at == name.size;
}

CLUSTER_SELDOM static void overstates(struct belief *belief, uint32_t life, const struct decode_entry *entry) {
  const struct cluster *cluster = belief->cluster;
  belief->subject[0] = cluster->nodes[cluster->ledger.lives[life].node].hash;
  belief->subject[1] = entry->incarnation;
  belief->subject[2] = entry->seq;
  sim_violation(cluster->world, CLUSTER_HONEST_ACKS, belief->node, belief->subject,
                "a HELLO of %s says that it holds n%u/%016llx durably up to %llu; a power loss now would leave it "
                "%llu",
                cluster->nodes[belief->node].name, cluster->ledger.lives[life].node,
                (unsigned long long)entry->incarnation, (unsigned long long)entry->seq,
                (unsigned long long)belief->held);
}

static void note_entry(struct cluster *cluster, struct replica_hello *known, uint32_t life, size_t seq_at,
                       size_t seq_bytes) {
  CLUSTER_GROW(cluster->world, known->told, known->told_capacity, known->told_count + 1u);
  known->told[known->told_count++] = (struct replica_told){life, (uint32_t)seq_at, (uint32_t)seq_bytes};
}

/* false: it is not true, which is reported. What it says is noted. */
static bool check_entries(struct belief *belief, struct decode_hello hello, struct replica_hello *known, bool damaged) {
  struct cluster *cluster = belief->cluster;
  const struct ledger *ledger = &cluster->ledger;
  const uint8_t *entries = hello.entries.at;
  struct decode_entry entry;
  uint32_t named = 0; /* the node of the entry before: those of one stand together */
  while (decode_entry_next(&hello, &entry)) {
    uint32_t life = ledger_life_find(ledger, entry.incarnation);
    uint32_t node = life == LEDGER_NONE ? 0 : ledger->lives[life].node;
    if (!node || ((entry.heads || node != named) && !is_named(&cluster->nodes[node], entry.node))) {
      mumbles(belief, "says that it holds operations of a life that never was");
      return false;
    }
    named = node;
    if (!damaged && !holds_durably(belief, life, entry.seq)) {
      overstates(belief, life, &entry);
      return false;
    }
    note_entry(cluster, known, life, (size_t)(entry.seq_at - entries), (size_t)(hello.entries.at - entry.seq_at));
    if (!birth_is_known(cluster, life, &hello.entries)) {
      mumbles(belief, "says of a life that it began with what it did not hold, or without what it held");
      return false;
    }
  }
  if (hello.entries.bad) mumbles(belief, "is no HELLO");
  return !hello.entries.bad && !damaged;
}

/* What it says of that life now; false: that is no number of the same length, or not true. */
CLUSTER_APART static bool is_more_told(struct belief *belief, const struct replica_told *told, const uint8_t *at,
                                       uint8_t *known) {
  struct decode_reader reader = {at, at + told->seq_bytes, false};
  uint64_t seq = decode_varint(&reader);
  if (reader.bad || reader.at != reader.end || !holds_durably(belief, told->life, seq)) return false;
  memcpy(known, at, told->seq_bytes);
  return true;
}

/* Whether these are the bytes of a HELLO that was found to be true, but for how much
 * they say of each life, and that is true as well. What was true still is: what is
 * durable only grows while the node runs. Bytes that are not numbers of the same
 * lengths at the same places differ from what is known, as it is made to be, in the
 * end; then all is looked at. What is noted here on the way was found to be true. */
static inline bool is_told_again(struct belief *belief, struct replica_hello *known, const uint8_t *entries,
                                 size_t size) {
  if (size != known->size || !size) return false;
  const struct replica *replica = &belief->cluster->nodes[belief->node].replica;
  const struct replica_told *told = known->told, *end = told + known->told_count;
  for (; told < end; told++) {
    const uint8_t *at = entries + told->seq_at;
    uint8_t *before = known->bytes + told->seq_at;
    if (told->seq_bytes == 2 && at[0] >= 0x80u && at[1] < 0x80u) { /* most, read as decode_varint() does */
      uint32_t seq = (at[0] & 0x7fu) | (uint32_t)at[1] << 7;
      if (seq <= replica_durable(replica, told->life)) {
        before[0] = at[0];
        before[1] = at[1];
        continue;
      }
    }
    if (!is_more_told(belief, told, at, before)) return false;
  }
  return memcmp(entries, known->bytes, size) == 0;
}

/* Looks at all of it, and keeps it when it is true. */
CLUSTER_SELDOM static void check_all_of_hello(struct belief *belief, struct decode_hello hello, bool damaged) {
  struct cluster *cluster = belief->cluster;
  struct replica *replica = &cluster->nodes[belief->node].replica;
  const uint8_t *entries = hello.entries.at;
  size_t size = (size_t)(hello.entries.end - entries);
  replica->hello_last = (replica->hello_last + 1u) % REPLICA_HELLOS;
  struct replica_hello *known = &replica->hellos[replica->hello_last];
  known->size = known->told_count = 0;
  if (!check_entries(belief, hello, known, damaged)) return;
  CLUSTER_GROW(cluster->world, known->bytes, known->capacity, (uint32_t)size);
  if (size) memcpy(known->bytes, entries, size);
  known->size = (uint32_t)size;
}

static void check_hello(struct belief *belief, struct decode_reader body, uint64_t session) {
  struct cluster *cluster = belief->cluster;
  struct decode_hello hello;
  if (!decode_hello(body, &hello) || !is_named(&cluster->nodes[belief->node], hello.node) || hello.session != session) {
    mumbles(belief, "is no HELLO, or is not its own");
    return;
  }
  cluster_backoff_greeting(cluster, belief->node, belief->to, hello.flags, hello.snapshot_id);
  if (!(hello.flags & HELLO_GOES_ON))
    cluster_traffic_greeting(cluster, belief->node, belief->to, hello.flags, hello.wanted);
  struct replica *replica = &cluster->nodes[belief->node].replica;
  const uint8_t *entries = hello.entries.at;
  size_t size = (size_t)(hello.entries.end - entries);
  bool damaged = is_damaged(cluster, belief->node);
  for (uint32_t i = 0; i < REPLICA_HELLOS && !damaged; i++) {
    if (!is_told_again(belief, &replica->hellos[i], entries, size)) continue;
    replica->hello_last = i;
    return;
  }
  check_all_of_hello(belief, hello, damaged);
}

static bool ranks_below(const struct cluster *cluster, uint32_t a, uint32_t b) {
  const struct ledger_life *lives = cluster->ledger.lives;
  int order = strcmp(cluster->nodes[lives[a].node].name, cluster->nodes[lives[b].node].name);
  return order ? order < 0 : lives[a].incarnation < lives[b].incarnation;
}

/* Takes note of the lives that came since, in the order of (node id, incarnation). */
static void rank_lives(struct cluster *cluster, struct replica *replica) {
  CLUSTER_GROW(cluster->world, replica->ranked, replica->ranked_capacity, replica->named_count);
  CLUSTER_GROW(cluster->world, replica->digests, replica->digest_capacity, replica->named_count);
  while (replica->ranked_count < replica->named_count) {
    uint32_t index = replica->ranked_count, life = replica->named_lives[index], to = replica->ranked_count++;
    for (; to > 0 && ranks_below(cluster, life, replica->named_lives[replica->ranked[to - 1u]]); to--)
      replica->ranked[to] = replica->ranked[to - 1u];
    replica->ranked[to] = index;
    const struct ledger_life *known = &cluster->ledger.lives[life];
    replica->digests[index] = (index ? replica->digests[index - 1u] : 0) +
                              decode_life_digest(cluster->nodes[known->node].name, known->incarnation);
  }
}

/* How many of the first lives in its log have that digest; LEDGER_NONE: no number of them. */
static uint32_t ranks_among(const struct replica *replica, uint64_t digest) {
  for (uint32_t count = replica->named_count; count > 0; count--)
    if (replica->digests[count - 1u] == digest) return count;
  return LEDGER_NONE;
}

/* The life of that rank among the first `count`; *passed and *at: how far the ones before led. */
static uint32_t ranked_life(const struct replica *replica, uint32_t count, uint64_t rank, uint64_t *passed,
                            uint32_t *at) {
  for (; *at < replica->ranked_count; ++*at) {
    if (replica->ranked[*at] >= count) continue;
    if ((*passed)++ == rank) return replica->named_lives[replica->ranked[(*at)++]];
  }
  return LEDGER_NONE;
}

static void check_news(struct belief *belief, struct decode_reader body, uint64_t session) {
  struct cluster *cluster = belief->cluster;
  struct replica *replica = &cluster->nodes[belief->node].replica;
  struct decode_news news;
  if (!decode_news(body, &news) || news.session != session) {
    mumbles(belief, "is no NEWS, or is not its own");
    return;
  }
  cluster_backoff_greeting(cluster, belief->node, belief->to, news.flags, 0);
  cluster_traffic_greeting(cluster, belief->node, belief->to, news.flags, news.wanted);
  bool damaged = is_damaged(cluster, belief->node);
  if (news.named) {
    struct decode_hello hello = {.entries = news.entries};
    check_all_of_hello(belief, hello, damaged);
    return;
  }
  rank_lives(cluster, replica);
  uint32_t count = ranks_among(replica, news.lives), at = 0;
  uint64_t rank, seq, passed = 0;
  while (decode_rank_next(&news, &rank, &seq)) {
    uint32_t life = count == LEDGER_NONE ? LEDGER_NONE : ranked_life(replica, count, rank, &passed, &at);
    if (life == LEDGER_NONE) {
      if (!damaged) mumbles(belief, "says that it holds operations of a life that it does not know");
      return;
    }
    if (damaged || holds_durably(belief, life, seq)) continue;
    struct decode_entry entry = {.incarnation = cluster->ledger.lives[life].incarnation, .seq = seq};
    overstates(belief, life, &entry);
    return;
  }
  if (news.entries.bad) mumbles(belief, "is no NEWS");
}

CLUSTER_SELDOM static void sends_too_early(struct belief *belief, uint32_t operation) {
  const struct cluster *cluster = belief->cluster;
  cluster_subject(cluster, operation, belief->subject);
  sim_violation(
      cluster->world, CLUSTER_DURABILITY, belief->node, belief->subject,
      "%s sent operation n%u/%016llx/%llu before it was durable there (durable are %llu of that origin)",
      cluster->nodes[belief->node].name, cluster->ledger.lives[cluster->ledger.operations[operation].life].node,
      (unsigned long long)belief->subject[1], (unsigned long long)belief->subject[2], (unsigned long long)belief->held);
}

/* --- Operations that are sent --------------------------------------------------------------- */

static void name_life(struct cluster *cluster, uint64_t index, uint32_t life) {
  CLUSTER_GROW(cluster->world, cluster->explained, cluster->explained_capacity, cluster->explained_count + 1u);
  cluster->explained[cluster->explained_count++] = (struct cluster_explained){index, life};
}

static uint32_t life_named(const struct cluster *cluster, uint64_t index) {
  for (uint32_t i = 0; i < cluster->explained_count; i++)
    if (cluster->explained[i].index == index) return cluster->explained[i].life;
  return LEDGER_NONE;
}

/* Learns what the frame says behind its operations: whom their indexes stand for. false: it is
 * not valid, or not what the log of the sender says. */
static bool learn_names(struct belief *belief, struct decode_reader body) {
  struct cluster *cluster = belief->cluster;
  const struct replica *replica = &cluster->nodes[belief->node].replica;
  const uint8_t *bytes;
  size_t size;
  while (decode_ops_next(&body, &bytes, &size))
    continue;
  struct decode_origin origin = {{NULL, 0}, 0};
  uint64_t index;
  cluster->explained_count = 0;
  while (decode_ops_origin_next(&body, &index, &origin)) {
    uint32_t life = ledger_life_find(&cluster->ledger, origin.incarnation);
    if (life == LEDGER_NONE || !is_named(&cluster->nodes[cluster->ledger.lives[life].node], origin.node)) return false;
    if (index >= replica->named_count || replica->named_lives[index] != life) return false;
    name_life(cluster, index, life);
  }
  return !body.bad;
}

/* The life that the operation belongs to; its seq is *seq. */
static uint32_t life_of(struct cluster *cluster, const uint8_t *bytes, size_t size, uint64_t *seq) {
  struct decode_reader reader = {bytes, bytes + size, false};
  struct decode_id id = {0};
  if (!decode_operation_id(&reader, &id)) return LEDGER_NONE;
  *seq = id.seq;
  if (id.seq != 1) return life_named(cluster, id.index);
  uint32_t life = ledger_life_find(&cluster->ledger, id.first.incarnation);
  if (life != LEDGER_NONE) name_life(cluster, id.index, life);
  return life;
}

/* Gives how many operations are in it. */
static uint64_t check_operations(struct belief *belief, struct decode_reader body, uint64_t session) {
  const struct ledger *ledger = &belief->cluster->ledger;
  const uint8_t *bytes;
  size_t size;
  uint64_t count = 0;
  bool damaged = is_damaged(belief->cluster, belief->node);
  if (decode_ops_session(&body) != session) mumbles(belief, "names another session");
  cluster_backoff_operations(belief->cluster, belief->node, belief->to);
  cluster_traffic_begin(belief->cluster, belief->node, belief->to);
  if (!learn_names(belief, body)) {
    mumbles(belief, "says of its operations that they are of others than they are");
    return 0;
  }
  for (; decode_ops_next(&body, &bytes, &size); count++) {
    uint64_t seq = 0;
    uint32_t life = life_of(belief->cluster, bytes, size, &seq);
    if (life == LEDGER_NONE ||
        seq - 1u >= ledger->lives[life].count) { /* its bytes are looked at where it is applied */
      mumbles(belief, "has an operation that is not one of the ledger's");
      return count;
    }
    cluster_traffic_operation(belief->cluster, belief->node, belief->to, life, (uint32_t)seq);
    if (damaged || holds_durably(belief, life, seq)) continue;
    belief->subject[2] = seq;
    sends_too_early(belief, ledger->lives[life].operations[seq - 1u]);
    return count;
  }
  if (body.bad || !count) mumbles(belief, "has no operations");
  return count;
}

struct blocking {
  struct belief *belief;
  bool early;
};

static void sent_origin(void *arg, uint32_t life, uint64_t seq) {
  struct blocking *blocking = arg;
  if (life == LEDGER_NONE || !holds_durably(blocking->belief, life, seq)) blocking->early = true;
}

/* Byte for byte what stands at that place of a base of its own, which is durable. */
static void check_block(struct belief *belief, const struct decode_reader *body) {
  struct cluster *cluster = belief->cluster;
  const struct sim_disk *disk = cluster->nodes[belief->node].disk;
  if (body->end - body->at < (ptrdiff_t)(24u + DECODE_BLOCK_HEADER_BYTES)) {
    mumbles(belief, "is no BLOCK");
    return;
  }
  uint64_t id = decode_little8(body->at), offset = decode_little8(body->at + 8);
  size_t size = (size_t)(body->end - body->at) - 24u;
  struct decode_block block;
  struct snapshot base;
  if (!decode_block(body->at + 24, size, id, offset, &block)) {
    mumbles(belief, "has a block that is not valid");
    return;
  }
  /* What was durable once stays so, and the file never changes: it is read once for all its blocks. */
  uint64_t *sent_id = &cluster->nodes[belief->node].replica.sent_id;
  if (is_damaged(cluster, belief->node) || *sent_id == id) return;
  struct blocking blocking = {belief, false};
  bool whole = snapshot_base(disk, id, &base) && snapshot_read(cluster, disk, &base, sent_origin, &blocking);
  if (!whole || base.size != decode_little8(body->at + 16))
    mumbles(belief, "has a block of a snapshot that it has not");
  else if (blocking.early)
    mumbles(belief, "has a block of a snapshot with operations that are not durable there");
  else
    *sent_id = id;
}

void cluster_check_sent(struct cluster *cluster, uint32_t number, uint32_t to, const void *frame, size_t size) {
  struct cluster_node *node = &cluster->nodes[number];
  const struct cluster_software *software = sim_node_software(node->machine);
  struct belief belief; /* what is believed is not asked here */
  belief.cluster = cluster;
  belief.node = number;
  belief.to = to;
  struct decode_reader body = {NULL, NULL, true};
  enum decode_frame kind = decode_frame(frame, size, &body);
  node->counts.frames_out++;
  node->counts.frames_out_bytes += size;
  node->counts.hellos_out += kind == DECODE_HELLO || kind == DECODE_NEWS;
  if (kind == DECODE_NOTHING) mumbles(&belief, "cannot be read as the format says");
  if (!node->replica.following || !software) return; /* it is being opened: looked at in a moment */
  if (kind == DECODE_HELLO) check_hello(&belief, body, sync_session(software->engine));
  if (kind == DECODE_NEWS) check_news(&belief, body, sync_session(software->engine));
  if (kind == DECODE_BLOCK) check_block(&belief, &body);
  if (kind == DECODE_OPS) node->counts.ops_out += check_operations(&belief, body, sync_session(software->engine));
}

static int known_of_subject(void *arg, const struct sync_origin *origin, uint64_t seq) {
  struct belief *belief = arg;
  if (origin->incarnation != belief->subject[1]) return 0;
  belief->held = seq;
  return 1;
}

void cluster_tell_belief(struct cluster *cluster, uint32_t node, uint32_t other, const uint64_t subject[3]) {
  struct cluster_software *software = sim_node_peek(cluster->world, node);
  struct sync_peer_info info;
  if (!software || software->peer_of[other] == SYNC_PEER_NONE) return;
  if (sync_peer_info(software->engine, software->peer_of[other], &info) != SYNC_OK) return;
  struct belief belief = {.subject = {subject[0], subject[1], subject[2]}};
  uint64_t session = 0;
  int status = sync_peer_vector(software->engine, software->peer_of[other], &session, known_of_subject, &belief);
  bool known = status != SYNC_E_PEER && session != 0;
  uint64_t fields[] = {CLUSTER_STEP_BELIEF,
                       other,
                       (uint64_t)info.state | (uint64_t)info.retries << 8,
                       info.owed_ops,
                       info.in_flight_ops,
                       info.next_deadline_ns,
                       known ? belief.held + 1u : 0};
  sim_trace(cluster->world, SIM_SUB_CLUSTER, SIM_STEP_CLUSTER, node, fields, 7);
}
