// The library from C++: opens what two nodes left in DIR/a and DIR/b, lets each write some more, carries frames
// between the two until both hold the same, and says so.
//
//   meet DIR WRITES     status 0: they are equal; 1: they are not
//   meet DIR alone      a writes one key, and nothing is carried
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <sync.h>

namespace {

void must(int status, const char *what) {
  if (status == SYNC_OK) return;
  std::fprintf(stderr, "meet: %s: %s\n", what, sync_status_message(status));
  std::exit(1);
}

class Node {
public:
  Node(const std::string &directory, const char *id, const char *other) : name(id) {
    sync_posix_options where = sync_posix_options();
    where.directory = directory.c_str();
    where.create = true;
    // A process that was killed may be on its way out still.
    int status, tries = 0;
    while ((status = sync_posix_open(&posix, &where)) == SYNC_E_LOCKED && ++tries < 100)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    must(status, id);
    sync_options options = sync_options();
    options.node_id = id;
    std::memcpy(options.cluster_id, "two_processes---", SYNC_CLUSTER_ID_BYTES);
    must(sync_open(&engine, sync_posix_env(posix), &options, nullptr), id);
    must(sync_peer_add(engine, other, &peer), "add a peer");
    frame.resize(sync_frame_bytes_max(engine));
  }
  ~Node() {
    sync_close(engine);
    sync_posix_close(posix);
  }
  Node(const Node &) = delete;
  Node &operator=(const Node &) = delete;

  void put(const std::string &key) {
    sync_receipt receipt;
    must(sync_put(engine, key.data(), key.size(), "met", 3, &receipt), "put");
  }
  // One turn: what the disk has done, what time it is, what the other should know.
  void turn(Node &to) {
    uint64_t token;
    int result;
    while (sync_posix_next_completion(posix, &token, &result))
      must(sync_disk_done(engine, token, result), "fsync");
    sync_tick_report report;
    must(sync_tick(engine, &report), "tick");
    uint32_t whom;
    size_t size;
    int status;
    while ((status = sync_next_frame(engine, &whom, frame.data(), frame.size(), &size)) == SYNC_OK)
      must(sync_receive(to.engine, to.peer, frame.data(), size), "receive");
    if (status != SYNC_E_NOT_FOUND) must(status, "next frame");
  }
  bool is_done() const {
    return sync_outbox_size(engine) == 0 && sync_durable_position(engine) == sync_appended_position(engine);
  }
  sync_digest digest() const {
    sync_digest now;
    sync_digest_get(engine, &now);
    return now;
  }
  void tell() const {
    std::printf("%s holds %llu keys, state %016llx\n", name, static_cast<unsigned long long>(digest().keys),
                static_cast<unsigned long long>(digest().state));
  }

private:
  const char *name;
  sync_posix *posix = nullptr;
  sync_engine *engine = nullptr;
  uint32_t peer = SYNC_PEER_NONE;
  std::vector<unsigned char> frame;
};

bool are_equal(const Node &a, const Node &b) {
  return a.digest().vector == b.digest().vector && a.digest().state == b.digest().state;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: meet DIR WRITES|alone\n");
    return 2;
  }
  const std::string parent = argv[1];
  Node a(parent + "/a", "a", "b"), b(parent + "/b", "b", "a");
  if (std::strcmp(argv[2], "alone") == 0) {
    a.put("alone");
  } else {
    for (int i = std::atoi(argv[2]); i > 0; i--) {
      a.put("a met b/" + std::to_string(i));
      b.put("b met a/" + std::to_string(i));
    }
    for (int turns = 0; turns < 10000 && !(a.is_done() && b.is_done() && are_equal(a, b)); turns++) {
      a.turn(b);
      b.turn(a);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  a.tell();
  b.tell();
  return are_equal(a, b) ? 0 : 1;
}
