# An image that holds nothing but the binary:
#
#   docker build -t rainsql --build-arg VERSION=v1.2.3 .
#   docker run --rm -v "$PWD:/work" rainsql -c "FROM './visits.csv' LIMIT 5"
#   docker run --rm -it -v "$PWD:/work" -v rainsql:/data rainsql
#
# Local paths begin in /work, the file store lies in the volume /data, and /tmp
# is where sorts and joins put what does not fit into memory.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
ENV GOTOOLCHAIN=auto
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -tags grpcnotrace -ldflags "-s -w -X main.version=$VERSION" -o /system/usr/bin/rainsql ./cmd/rainsql \
 && mkdir -p /user/data /user/work /user/tmp \
 && chmod 1777 /user/tmp

# Nothing is fetched over TLS, so there are no certificates; time zones are in the binary.
FROM scratch
COPY --from=build /system/ /
COPY --from=build --chown=65532:65532 /user/ /
ENV XDG_DATA_HOME=/data HOME=/data
USER 65532:65532
WORKDIR /work
VOLUME /data
ENTRYPOINT ["/usr/bin/rainsql"]
