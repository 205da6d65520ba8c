# docker build -f local/images/echo.Dockerfile -t tentacular-echo .
# Same compiler flags as local/binaries/go-build.ts.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY examples/support/echo/ ./
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -buildid=" -o /rootfs/echo .

FROM scratch
COPY --from=build /rootfs/ /
EXPOSE 9000
USER 65534:65534
ENTRYPOINT ["/echo"]
