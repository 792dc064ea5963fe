#!/bin/bash
# Every oracle that config.h names can be switched off by a scenario, but the livelock: nothing else would end the run.
set -u
cd "$(dirname "$0")/../.." || exit 2
named=$(sed -nE 's/^#define (CLUSTER_[A-Z_]+) +"[a-z ]+".*/\1/p' cluster/config.h | grep -vx CLUSTER_LIVELOCK | LC_ALL=C sort)
listed=$(sed -n '/cluster_oracle_names\[\]/,/};/p' cluster/oracle_names.c | grep -oE 'CLUSTER_[A-Z_]+' | LC_ALL=C sort)
if [ -n "$named" ] && [ "$named" = "$listed" ]; then
  echo "ok every_oracle_can_be_switched_off_by_its_name"
else
  echo "not ok every_oracle_can_be_switched_off_by_its_name"
  diff <(echo "$named") <(echo "$listed") | sed 's/^/# /'
  exit 1
fi
