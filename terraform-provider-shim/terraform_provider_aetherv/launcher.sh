#!/bin/sh
# Starts the aetherv provider. These bytes are the same on every machine: Terraform's lock file holds their
# hash. Which Python to use stands outside this folder: in AETHERV_PROVIDER_PYTHON, in the file
# aetherv-provider-python of the plugin directory, or in the user's configuration. Terraform shows the first
# line of standard output, so errors go there.
python=${AETHERV_PROVIDER_PYTHON-}
if [ -z "$python" ]; then
  for pointer in \
    "${0%/*}/../../../../../aetherv-provider-python" \
    "${XDG_CONFIG_HOME:-${HOME-}/.config}/aetherv/provider-python"; do
    if [ -r "$pointer" ]; then
      IFS= read -r python <"$pointer" || :
      break
    fi
  done
fi
if [ -z "$python" ]; then
  echo "The aetherv provider does not know its Python. Run: aetherv provider install"
  exit 1
fi
if [ ! -x "$python" ]; then
  echo "The aetherv provider's Python is gone: $python. Run again: aetherv provider install"
  exit 1
fi
# -P: a module of the working directory must not be taken for one of Python's.
exec "$python" -P -m terraform_provider_aetherv "$@"
