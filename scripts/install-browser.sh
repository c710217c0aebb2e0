#!/usr/bin/env bash
# Installs Debian's Chromium for the browser tests. Nothing else needs it: without a
# browser those tests skip and say so.
set -euo pipefail

if command -v chromium >/dev/null; then
  echo "chromium is installed"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
  echo "no chromium, and no right to install it: the browser tests will skip" >&2
fi
