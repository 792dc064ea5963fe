/* What becomes of single copies: the room `network` alone, without a world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sim/network/harm.h"
#include "sim/world/world.h"

#define SIZE 100u
#define RUNS 600u
#define CERTAIN 1000000u

static struct sim *sim;
static struct sim_link_config config;
static struct sim_link link;
static uint8_t bytes[SIZE], before[SIZE];

static struct links *begin(uint64_t seed, uint32_t nodes) {
  const struct sim_config world = {.source = {.seed = seed}};
  struct sim_world *begun = sim_world_begin(sim, &world);
  assert_non_null(begun);
  memset(&config, 0, sizeof config);
  memset(&link, 0, sizeof link);
  memset(bytes, 'b', sizeof bytes);
  memset(before, 'a', sizeof before);
  begun->network.links.node_count = nodes;
  return &begun->network.links;
}

static struct harm harm_of(struct links *links, uint64_t identity) {
  return (struct harm){
      .links = links, .config = &config, .link = &link, .where = sim_tag_link(1, 2), .identity = identity};
}

static void without_settings_a_copy_is_what_was_sent(void **state) {
  (void)state;
  struct links *links = begin(1, 5);
  struct harm harm = harm_of(links, 1);
  harm_copy(&harm, bytes, SIZE);
  assert_false(harm.done);
  assert_int_equal(harm.size, SIZE);
  assert_memory_equal(harm.bytes, bytes, SIZE);
  assert_int_equal(harm_receiver(&harm, 1, 2), 2);
}

static void an_extended_copy_is_whole_and_up_to_64_bytes_longer(void **state) {
  (void)state;
  struct links *links = begin(2, 5);
  config.extend_ppm = CERTAIN;
  uint32_t least = 0, most = 0;
  for (uint64_t i = 0; i < RUNS; i++) {
    struct harm harm = harm_of(links, i);
    harm_copy(&harm, bytes, SIZE);
    assert_true(harm.done);
    assert_in_range(harm.size, SIZE + 1, SIZE + 64);
    assert_memory_equal(harm.bytes, bytes, SIZE);
    least += harm.size == SIZE + 1;
    most += harm.size == SIZE + 64;
  }
  assert_true(least > RUNS / 5 && most > RUNS / 5);
}

static void a_spliced_copy_begins_as_the_message_before_it(void **state) {
  (void)state;
  struct links *links = begin(3, 5);
  config.splice_ppm = CERTAIN;
  struct harm first = harm_of(links, 0);
  harm_copy(&first, bytes, SIZE);
  assert_false(first.done); /* nothing was sent before it */
  harm_remember(links, &link, before, SIZE / 2);
  for (uint64_t i = 1; i <= RUNS; i++) {
    struct harm harm = harm_of(links, i);
    harm_copy(&harm, bytes, SIZE);
    assert_true(harm.done);
    assert_int_equal(harm.size, SIZE);
    uint32_t foreign = 0;
    while (foreign < SIZE && harm.bytes[foreign] == 'a')
      foreign++;
    assert_in_range(foreign, 1, SIZE / 2);
    assert_memory_equal(harm.bytes + foreign, bytes, SIZE - foreign);
  }
}

static void a_misdelivered_copy_comes_to_a_third_node(void **state) {
  (void)state;
  struct links *links = begin(4, 4);
  config.misdeliver_ppm = CERTAIN;
  uint32_t count[5] = {0};
  for (uint64_t i = 0; i < RUNS; i++) {
    struct harm harm = harm_of(links, i);
    harm_copy(&harm, bytes, SIZE);
    uint32_t to = harm_receiver(&harm, 1, 2);
    assert_true(to == 3 || to == 4);
    assert_true(harm.done);
    count[to]++;
  }
  assert_true(count[3] > RUNS / 3 && count[4] > RUNS / 3);
  links->node_count = 2; /* there is no third */
  struct harm harm = harm_of(links, 0);
  harm_copy(&harm, bytes, SIZE);
  assert_int_equal(harm_receiver(&harm, 1, 2), 2);
}

static int set_up(void **state) {
  (void)state;
  sim = sim_open(NULL);
  return sim == NULL;
}
static int tear_down(void **state) {
  (void)state;
  sim_close(sim);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_settings_a_copy_is_what_was_sent),
      cmocka_unit_test(an_extended_copy_is_whole_and_up_to_64_bytes_longer),
      cmocka_unit_test(a_spliced_copy_begins_as_the_message_before_it),
      cmocka_unit_test(a_misdelivered_copy_comes_to_a_third_node),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
