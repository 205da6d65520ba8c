# docker build -f local/images/engine.Dockerfile -t tentacular-engine .
# The files come from local/images/definitions.ts, as in the images of the embedded cluster.
FROM node:24.21.0-bookworm AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm install --no-save --no-audit --no-fund
COPY . .
RUN node local/images/write-root.ts engine /rootfs

FROM scratch
COPY --from=build /rootfs/ /
ENV DENO_DIR=/tmp/deno DENO_NO_UPDATE_CHECK=1 HOME=/engine PATH=/usr/local/bin
WORKDIR /engine
EXPOSE 8080
USER 65534:65534
CMD ["deno","run","--no-prompt","/engine/main.js"]
