# Sourced by ./train and ./test, in the repository root: stages that are quiet when all is well.
# shellcheck shell=bash

# The tools that install_dependencies brings come before others of the same name.
export PATH=/usr/bin:/bin:$PATH
jobs=${GORILA_JOBS:-$(nproc)}
logs=build/logs
if command -v ccache >/dev/null; then
  # Relative paths, so that one checkout finds what another compiled.
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
fi

# heading TITLE
heading() { printf '== %s\n' "$*"; }

# run_stage TITLE LOG_NAME COMMAND...: runs the command with its output in the log; when it fails,
# shows the end of the log and exits.
run_stage() {
  local title=$1 log=$logs/$2.log started=$SECONDS status=0
  shift 2
  heading "$title"
  mkdir -p "$logs"
  "$@" >"$log" 2>&1 || status=$?
  if ((status != 0)); then
    # What went well says nothing about what did not.
    grep -vE '^ *([0-9]+/[0-9]+ Test .* Passed |Start +[0-9]+: |\[[0-9]+/[0-9]+\] (Building|Linking) )' \
      "$log" | tail -n 80 || true
    echo "FAILED: $title (exit status $status; the whole log is $log)" >&2
    exit 1
  fi
  printf '   %d s\n' $((SECONDS - started))
}

install_dependencies() {
  [[ -n ${GORILA_SKIP_INSTALL-} ]] || tools/install_dependencies "$1"
}

# build PRESET TARGET [CONFIGURE OPTION...]
build() {
  local preset=$1 target=$2
  shift 2
  cmake --preset "$preset" "$@" && cmake --build --preset "$preset" --parallel "$jobs" --target "$target"
}
