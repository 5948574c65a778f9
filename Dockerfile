# The program and the distribution's libraries, run as an ordinary user (docs/operations.md).
#   docker build --tag gorila .
#   docker run --rm --volume "$PWD/runs:/runs" --user "$(id -u)" gorila train --run-dir /runs/first
FROM debian:bookworm-slim AS build
WORKDIR /source
COPY . .
RUN tools/install_dependencies build \
    && cmake --preset release -DGORILA_BUILD_TESTS=OFF -DGORILA_MERGE_SOURCES=ON \
    && cmake --build --preset release --target gorila \
    && strip --output-file=/gorila build/release/bin/gorila \
    && strip --output-file=/gorila-plugin-worker build/release/libexec/gorila/gorila-plugin-worker \
    && tools/runtime_packages /gorila > /packages

FROM debian:bookworm-slim
COPY --from=build /packages /tmp/packages
RUN apt-get update \
    && xargs apt-get install --yes --no-install-recommends python3-numpy < /tmp/packages \
    && rm -rf /var/lib/apt/lists/* /tmp/packages \
    && useradd --uid 10001 --user-group --no-create-home gorila
COPY --from=build /gorila /usr/local/bin/gorila
# What hosts environments of one's own; an image that is made from this one adds what they import.
COPY --from=build /gorila-plugin-worker /usr/local/libexec/gorila/gorila-plugin-worker
COPY python/worker/*.py /usr/local/share/gorila/
USER 10001:10001
ENTRYPOINT ["gorila"]
CMD ["--help"]
