#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/choice/distribution.h"
#include "tests/support/toy_world.h"

#define DRAWS 200000u
#define KIND SIM_CHOICE_USER

static struct sim_world *begin(struct sim *sim, enum sim_choice_rest rest) {
  struct sim_config config = {.source = {.seed = 7, .rest = rest}};
  return sim_world_begin(sim, &config);
}

/* First and second moment of draws of at most 2^30 or so. */
struct moments {
  uint64_t sum, squares, least, most;
};
static void take(struct moments *moments, uint64_t value) {
  moments->sum += value;
  moments->squares += value * value;
  if (value < moments->least) moments->least = value;
  if (value > moments->most) moments->most = value;
}
static uint64_t mean_of(const struct moments *moments) {
  return moments->sum / DRAWS;
}
static uint64_t variance_of(const struct moments *moments) {
  return moments->squares / DRAWS - mean_of(moments) * mean_of(moments);
}

static void uniform_draws_have_the_mean_and_variance_of_their_range(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_REST_SEED);
  struct moments moments = {.least = UINT64_MAX};
  for (uint64_t i = 0; i < DRAWS; i++)
    take(&moments, sim_range(world, sim_tag(KIND, 0, i), 1000, 1999999));
  assert_in_range(mean_of(&moments), 990000, 1010000);
  assert_in_range(variance_of(&moments) / 1000000, 330000, 337000); /* width^2 / 12 */
  assert_true(moments.least >= 1000 && moments.least < 1100 && moments.most <= 1999999 && moments.most > 1999900);
  sim_close(sim);
}

static void exponential_draws_have_their_mean_and_its_square_as_variance(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_REST_SEED);
  struct moments moments = {.least = UINT64_MAX};
  uint32_t above[5] = {0}; /* so many means */
  const uint64_t mean = 1000000;
  for (uint64_t i = 0; i < DRAWS; i++) {
    uint64_t value = sim_exponential(world, sim_tag(KIND, 0, i), mean);
    take(&moments, value);
    for (uint64_t means = 1; means < 5; means++)
      above[means] += value > means * mean;
  }
  assert_in_range(mean_of(&moments), 990000, 1010000);
  assert_in_range(variance_of(&moments) / 1000000, 970000, 1030000);
  assert_in_range(above[1], 72800, 74350); /* e^-1 = 0.3679 */
  assert_in_range(above[2], 26500, 27640); /* 0.1353 */
  assert_in_range(above[3], 9560, 10360);  /* 0.0498 */
  assert_in_range(above[4], 3430, 3900);   /* 0.0183 */
  sim_close(sim);
}

static void the_exponential_quantiles_are_exact_to_a_few_parts_in_a_hundred_thousand(void **unused) {
  (void)unused;
  static const struct {
    uint32_t quantile;
    uint64_t ppm; /* -ln(1 - quantile / 2^32) in millionths */
  } known[] = {
      {0, 0},
      {0x40000000, 287682},
      {0x80000000, 693147},
      {0xc0000000, 1386294},
      {0xe0000000, 2079442},
      {0xfd70a3d7, 4605170},
      {0xfffffffe, 21487563},
      {0xffffffff, 22180710},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    uint64_t value = sim_exponential_at(1000000, known[i].quantile);
    assert_in_range(value + 60, known[i].ppm, known[i].ppm + 120);
  }
  uint64_t before = 0;
  for (uint64_t quantile = 0; quantile <= UINT32_MAX; quantile += 65521) {
    uint64_t value = sim_exponential_at(SIM_SECOND, (uint32_t)quantile);
    assert_true(value >= before);
    before = value;
  }
  assert_int_equal(sim_exponential_at(UINT64_MAX, 0xfffffff0u), UINT64_MAX);
  assert_int_equal(sim_exponential_at(UINT64_MAX, 0), 0);
  assert_int_equal(sim_exponential_at(0, UINT32_MAX), 0);
}

static const struct sim_loss_chain CHAIN = {10000, 200000, 900000, KIND + 1, KIND + 2, KIND + 3};

static void losses_come_in_bursts_of_the_length_asked_for(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_REST_SEED);
  bool bad = false, before = false;
  uint32_t stays = 0, bad_steps = 0, losses = 0, after_loss = 0, twice = 0;
  bool lost_before = false;
  for (uint64_t i = 0; i < DRAWS; i++) {
    bool lost = sim_loss_chain(world, &CHAIN, &bad, 0, i);
    assert_true(!lost || bad);
    stays += bad && !before;
    bad_steps += bad;
    losses += lost;
    after_loss += lost_before;
    twice += lost && lost_before;
    before = bad;
    lost_before = lost;
  }
  assert_in_range(bad_steps, DRAWS * 10 / 210 - 800, DRAWS * 10 / 210 + 800); /* enter / (enter + leave) */
  assert_in_range(bad_steps * 100 / stays, 470, 530);                         /* 1 / leave */
  assert_in_range(losses * 1000 / bad_steps, 885, 915);
  assert_in_range(twice * 1000 / after_loss, 690, 750); /* stays and loses: 0.8 x 0.9; alone it would be 0.043 */
  sim_close(sim);
}

static void the_slow_tail_is_as_frequent_and_as_long_as_asked_for(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_REST_SEED);
  const struct sim_slow_tail tail = {1000, 1000000, KIND + 4, KIND + 5};
  uint64_t slow = 0, sum = 0, most = 0;
  for (uint64_t i = 0; i < DRAWS; i++) {
    uint64_t more;
    bool is_slow = sim_slow_tail(world, &tail, 0, i, &more);
    assert_true(is_slow || more == 0);
    slow += is_slow;
    sum += more;
    if (more > most) most = more;
  }
  assert_in_range(slow, 150, 250);
  assert_in_range(sum / slow, 420000, 580000);
  assert_in_range(most, 950000, 1000000);
  sim_close(sim);
}

static void a_calm_source_draws_the_least_of_every_distribution(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_REST_CALM);
  const struct sim_loss_chain certain = {1000000, 1, 1000000, KIND + 1, KIND + 2, KIND + 3};
  const struct sim_slow_tail tail = {1000000, 1000, KIND + 4, KIND + 5};
  bool bad = false;
  uint64_t more;
  assert_int_equal(sim_exponential(world, sim_tag(KIND, 0, 0), SIM_SECOND), 0);
  assert_false(sim_loss_chain(world, &certain, &bad, 0, 0));
  assert_false(bad);
  bad = true;
  assert_false(sim_loss_chain(world, &certain, &bad, 0, 1));
  assert_false(bad);
  assert_false(sim_slow_tail(world, &tail, 0, 0, &more));
  assert_int_equal(more, 0);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(uniform_draws_have_the_mean_and_variance_of_their_range),
      cmocka_unit_test(exponential_draws_have_their_mean_and_its_square_as_variance),
      cmocka_unit_test(the_exponential_quantiles_are_exact_to_a_few_parts_in_a_hundred_thousand),
      cmocka_unit_test(losses_come_in_bursts_of_the_length_asked_for),
      cmocka_unit_test(the_slow_tail_is_as_frequent_and_as_long_as_asked_for),
      cmocka_unit_test(a_calm_source_draws_the_least_of_every_distribution),
  };
  return cmocka_run_group_tests_name("distribution", tests, NULL, NULL) != 0;
}
