/* For cppcheck, which reads no library headers: a claim of cmocka that does not
 * hold leaves the test. */
#define assert_true(claim)                                                                                             \
  do {                                                                                                                 \
    if (!(claim)) abort();                                                                                             \
  } while (0)
