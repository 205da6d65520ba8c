# docker build -f local/images/server.Dockerfile -t tentacular-server .
# The files come from local/images/definitions.ts, as in the images of the embedded cluster.
FROM node:24.21.0-bookworm AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm install --no-save --no-audit --no-fund
COPY . .
RUN node local/images/write-root.ts server /rootfs

FROM scratch
COPY --from=build /rootfs/ /
ENV NODE_ENV=production PATH=/usr/local/bin
WORKDIR /app
EXPOSE 8080 9090
USER 65534:65534
ENTRYPOINT ["/usr/local/bin/node","/app/server.mjs"]
