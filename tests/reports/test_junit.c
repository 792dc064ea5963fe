#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>

#include "reports/report.h"
#include "tests/support/suite_fixture.h"

/* The rules that strict readers (Jenkins' xUnit plug-in, Surefire) set: which
 * attributes an element may have and must have, the order of a suite's parts,
 * and times as digits with one point. */
static const char *const schema_parts[] = {
    "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>",
    "<xs:simpleType name='seconds'><xs:restriction base='xs:string'>",
    "<xs:pattern value='[0-9]+\\.[0-9]{1,9}'/></xs:restriction></xs:simpleType>",
    "<xs:complexType name='bad' mixed='true'><xs:attribute name='message' type='xs:string' use='required'/>",
    "<xs:attribute name='type' type='xs:string' use='required'/></xs:complexType>",
    "<xs:complexType name='skipped'><xs:attribute name='message' type='xs:string' use='required'/></xs:complexType>",
    "<xs:complexType name='property'><xs:attribute name='name' type='xs:string' use='required'/>",
    "<xs:attribute name='value' type='xs:string' use='required'/></xs:complexType>",
    "<xs:complexType name='properties'><xs:sequence>",
    "<xs:element name='property' type='property' maxOccurs='unbounded'/></xs:sequence></xs:complexType>",
    "<xs:complexType name='testcase'><xs:choice minOccurs='0'><xs:element name='failure' type='bad'/>",
    "<xs:element name='error' type='bad'/><xs:element name='skipped' type='skipped'/></xs:choice>",
    "<xs:attribute name='name' type='xs:string' use='required'/>",
    "<xs:attribute name='classname' type='xs:string' use='required'/>",
    "<xs:attribute name='time' type='seconds' use='required'/></xs:complexType>",
    "<xs:complexType name='testsuite'><xs:sequence>",
    "<xs:element name='properties' type='properties' minOccurs='0'/>",
    "<xs:element name='testcase' type='testcase' minOccurs='0' maxOccurs='unbounded'/>",
    "<xs:element name='system-out' type='xs:string' minOccurs='0'/></xs:sequence>",
    "<xs:attribute name='name' type='xs:string' use='required'/>",
    "<xs:attribute name='tests' type='xs:unsignedLong' use='required'/>",
    "<xs:attribute name='failures' type='xs:unsignedLong' use='required'/>",
    "<xs:attribute name='errors' type='xs:unsignedLong' use='required'/>",
    "<xs:attribute name='skipped' type='xs:unsignedLong' use='required'/>",
    "<xs:attribute name='time' type='seconds' use='required'/></xs:complexType>",
    "<xs:element name='testsuites'><xs:complexType><xs:sequence>",
    "<xs:element name='testsuite' type='testsuite' minOccurs='0' maxOccurs='unbounded'/></xs:sequence>",
    "<xs:attribute name='name' type='xs:string' use='required'/>",
    "<xs:attribute name='tests' type='xs:unsignedLong' use='required'/>",
    "<xs:attribute name='failures' type='xs:unsignedLong' use='required'/>",
    "<xs:attribute name='errors' type='xs:unsignedLong' use='required'/>",
    "<xs:attribute name='time' type='seconds' use='required'/></xs:complexType></xs:element></xs:schema>",
};

static bool keeps_the_schema(xmlDocPtr document) {
  char text[8192] = "";
  size_t at = 0;
  for (size_t i = 0; i < sizeof schema_parts / sizeof schema_parts[0]; i++)
    at += (size_t)snprintf(text + at, sizeof text - at, "%s", schema_parts[i]);
  xmlSchemaParserCtxtPtr parser = xmlSchemaNewMemParserCtxt(text, (int)at);
  xmlSchemaPtr schema = xmlSchemaParse(parser);
  assert_non_null(schema);
  xmlSchemaValidCtxtPtr validator = xmlSchemaNewValidCtxt(schema);
  const int result = xmlSchemaValidateDoc(validator, document);
  xmlSchemaFreeValidCtxt(validator);
  xmlSchemaFree(schema);
  xmlSchemaFreeParserCtxt(parser);
  return result == 0;
}

static xmlDocPtr parsed_of(const struct suite_result *result) {
  char *text = fixture_written(report_junit, result);
  assert_non_null(text);
  assert_true(strlen(text) < REPORT_JUNIT_BYTES_MAX);
  /* No options: a reader's usual limits on text and depth hold. */
  xmlDocPtr document = xmlReadMemory(text, (int)strlen(text), "report.xml", NULL, 0);
  assert_non_null(document);
  free(text);
  assert_true(keeps_the_schema(document));
  return document;
}
static xmlDocPtr parsed(struct suite_result *result) {
  xmlDocPtr document = parsed_of(result);
  fixture_free(result);
  return document;
}

/* The string value of an XPath expression; the caller frees it. */
static char *value_of(xmlDocPtr document, const char *path) {
  xmlXPathContextPtr context = xmlXPathNewContext(document);
  xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)path, context);
  assert_non_null(found);
  char *value = (char *)xmlXPathCastToString(found);
  xmlXPathFreeObject(found);
  xmlXPathFreeContext(context);
  return value;
}
static void is(xmlDocPtr document, const char *path, const char *expected) {
  char *value = value_of(document, path);
  assert_string_equal(value, expected);
  xmlFree(value);
}

static void suites_and_cases_are_counted(void **state) {
  (void)state;
  xmlDocPtr document = parsed(fixture_suite());
  is(document, "/testsuites/@name", "syncsim");
  is(document, "/testsuites/@tests", "8");
  is(document, "/testsuites/@failures", "2");
  is(document, "/testsuites/@errors", "2");
  is(document, "/testsuites/@time", "1.500000000");
  is(document, "count(//testcase)", "8");
  is(document, "count(//failure)", "2");
  is(document, "count(//error)", "2");
  is(document, "//testsuite[1]/@name", "a crash loses nothing promised");
  is(document, "//testsuite[1]/@tests", "4");
  is(document, "//testsuite[1]/@failures", "2");
  is(document, "//testsuite[1]/@errors", "1");
  is(document, "//testsuite[2]/@skipped", "1");
  is(document, "//testsuite[3]/@failures", "0"); /* a canary that was caught passes */
  xmlFreeDoc(document);
}

static void a_case_is_a_seed_of_a_scenario(void **state) {
  (void)state;
  xmlDocPtr document = parsed(fixture_suite());
  is(document, "//testsuite[1]/testcase[2]/@classname", "scenarios.crash");
  is(document, "//testsuite[1]/testcase[2]/@name", "seed 2");
  is(document, "//testsuite[1]/testcase[4]/@name", "seed 18446744073709551615");
  is(document, "//testsuite[1]/testcase[1]/@time", "0.007654321");
  is(document, "//testsuite[1]//property[@name='fault.net_loss']/@value", "1036 of 3600");
  xmlFreeDoc(document);
}

static void a_failure_begins_with_the_command_that_shows_it(void **state) {
  (void)state;
  xmlDocPtr document = parsed(fixture_suite());
  is(document, "substring-before(//testcase[@name='seed 2']/failure, '\n')",
     "build/syncsim replay scenarios/crash.lua --seed 2");
  is(document, "string(//testcase[@name='seed 3']/failure)", "syncsim replay scenarios/crash.lua --seed 3");
  is(document, "substring-before(//testsuite[2]/testcase[1]/error, '\n')",
     "build/syncsim replay scenarios/partition.lua --seed 1");
  is(document, "//testcase[@name='seed 2']/failure/@type", "violated");
  is(document, "//testcase[@name='seed 2']/failure/@message",
     "durability: n2 promised n2/7f3a:41 at 11.2 s and does not hold it after its restart");
  char *body = value_of(document, "//testcase[@name='seed 2']/failure");
  assert_non_null(strstr(body, "simulated time: 12.345678901 s\n"));
  assert_non_null(strstr(body, "node: n2\n"));
  assert_non_null(strstr(body, "bundle: build/bundles/crash-2\n"));
  assert_non_null(strstr(body, "history:\n11.200 s n2 submitted\n"));
  xmlFree(body);
  xmlFreeDoc(document);
}

/* Every (classname, name) once: GitLab drops all but the first. */
static void assert_unique(xmlDocPtr document) {
  size_t count = 0;
  char *keys[64];
  for (xmlNodePtr suite = xmlFirstElementChild(xmlDocGetRootElement(document)); suite != NULL;
       suite = xmlNextElementSibling(suite))
    for (xmlNodePtr one = xmlFirstElementChild(suite); one != NULL; one = xmlNextElementSibling(one)) {
      if (xmlStrcmp(one->name, (const xmlChar *)"testcase") != 0) continue;
      xmlChar *class = xmlGetProp(one, (const xmlChar *)"classname");
      xmlChar *name = xmlGetProp(one, (const xmlChar *)"name");
      const size_t size = (size_t)xmlStrlen(class) + (size_t)xmlStrlen(name) + 2;
      assert_true(count < 64);
      keys[count] = malloc(size);
      (void)snprintf(keys[count], size, "%s\n%s", (char *)class, (char *)name);
      for (size_t i = 0; i < count; i++)
        assert_string_not_equal(keys[i], keys[count]);
      count++;
      xmlFree(class);
      xmlFree(name);
    }
  assert_true(count > 0);
  while (count > 0)
    free(keys[--count]);
}

static void names_are_unique_even_when_paths_are_not(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  for (size_t i = 0; i < result->scenario_count; i++)
    (void)snprintf(result->scenarios[i].path, sizeof result->scenarios[i].path, "./scenarios/same.lua");
  result->runs[1].seed = result->runs[0].seed;
  xmlDocPtr document = parsed(result);
  assert_unique(document);
  is(document, "//testsuite[1]/testcase[1]/@classname", "scenarios.same");
  is(document, "//testsuite[2]/testcase[1]/@classname", "scenarios.same#2");
  xmlFreeDoc(document);
}

static void hostile_text_gives_a_valid_report(void **state) {
  (void)state;
  struct suite_result *result = fixture_hostile();
  char *text = fixture_written(report_junit, result);
  assert_non_null(text);
  for (const char *at = text; *at != '\0'; at++)
    assert_true((unsigned char)*at >= 0x20 || *at == '\n' || *at == '\t');
  free(text);
  xmlDocPtr document = parsed(result);
  assert_unique(document);
  is(document, "//testsuite[1]/@name",
     "a[31m]]>\"'&<b>\nc\n\td\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x80\xae\xc2\x9b!");
  xmlFreeDoc(document);
}

static void a_failure_that_belongs_to_no_run_is_told(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  result->failures[0].seed = 4; /* no run has it */
  xmlDocPtr document = parsed(result);
  assert_unique(document);
  is(document, "count(//failure[starts-with(., 'build/syncsim replay scenarios/crash.lua --seed 2')])", "1");
  xmlFreeDoc(document);
}

static void a_missed_canary_fails(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  result->scenarios[2].verdict = SUITE_CANARY_MISSED;
  result->runs[6].verdict = SUITE_HELD;
  xmlDocPtr document = parsed(result);
  is(document, "//testsuite[3]/@failures", "1");
  is(document, "//testsuite[3]/testcase[@name='canary']/failure/@type", "canary_missed");
  is(document, "substring-before(//testsuite[3]/testcase/failure, '\n')",
     "syncsim run 'scenarios/canary.lua' --seeds 1..18446744073709551615");
  xmlFreeDoc(document);
}

static void what_never_happened_fails_only_when_nothing_else_explains_it(void **state) {
  (void)state;
  xmlDocPtr document = parsed(fixture_suite());
  is(document, "count(//testsuite[@name='what never happened']/testcase/skipped)", "1");
  xmlFreeDoc(document);

  struct suite_result *result = fixture_suite();
  for (size_t i = 0; i < result->run_count; i++)
    result->runs[i].verdict = SUITE_HELD;
  for (size_t i = 0; i < result->scenario_count; i++)
    result->scenarios[i].verdict = SUITE_HELD;
  for (size_t i = 0; i < result->failure_count; i++)
    free(result->failures[i].history);
  result->failure_count = 0;
  result->exit_status = 1;
  document = parsed(result);
  is(document, "/testsuites/@failures", "1");
  is(document, "//testsuite[@name='what never happened']/testcase/failure/@message",
     "no message was ever duplicated in scenarios/crash.lua");
  is(document, "starts-with(//testsuite[@name='what never happened']/testcase/failure, \"syncsim run 'scenarios/\")",
     "true");
  xmlFreeDoc(document);
}

static void a_huge_suite_stays_below_the_limit(void **state) {
  (void)state;
  /* 150,000 runs that held, then 3,000 failures told with long histories. */
  xmlDocPtr document = parsed(fixture_large(150000, 0, 0, 0));
  is(document, "count(//testcase)", "20000");
  is(document, "/testsuites/@tests", "20000");
  is(document, "//system-out", "130000 further runs are left out here for size; the JSON report has all");
  xmlFreeDoc(document);
  document = parsed(fixture_large(3000, 1, 3000, 20000));
  is(document, "count(//testcase) > 1000", "true");
  xmlFreeDoc(document);
}

static void an_empty_suite_is_valid(void **state) {
  (void)state;
  struct suite_result *result = fixture_large(0, 0, 0, 0);
  xmlDocPtr document = parsed_of(result);
  is(document, "/testsuites/@tests", "0");
  xmlFreeDoc(document);
  result->scenario_count = 0;
  xmlFreeDoc(parsed(result));
}

static void a_full_disk_is_an_error(void **state) {
  (void)state;
  struct suite_result *small = fixture_suite(), *large = fixture_large(1000, 0, 0, 0);
  assert_false(fixture_written_to_full_disk(report_junit, small));
  assert_false(fixture_written_to_full_disk(report_junit, large));
  fixture_free(small);
  fixture_free(large);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(suites_and_cases_are_counted),
      cmocka_unit_test(a_case_is_a_seed_of_a_scenario),
      cmocka_unit_test(a_failure_begins_with_the_command_that_shows_it),
      cmocka_unit_test(names_are_unique_even_when_paths_are_not),
      cmocka_unit_test(hostile_text_gives_a_valid_report),
      cmocka_unit_test(a_failure_that_belongs_to_no_run_is_told),
      cmocka_unit_test(a_missed_canary_fails),
      cmocka_unit_test(what_never_happened_fails_only_when_nothing_else_explains_it),
      cmocka_unit_test(a_huge_suite_stays_below_the_limit),
      cmocka_unit_test(an_empty_suite_is_valid),
      cmocka_unit_test(a_full_disk_is_an_error),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  xmlCleanupParser();
  return failed != 0;
}
