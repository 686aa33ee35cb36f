# The command `dreamfold`, run from its source. docs/how-to/kafka.md says how it is used.
FROM node:24.21.0-slim AS install
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages packages
COPY apps/cli apps/cli
RUN npx -y pnpm@12.21.0 install --frozen-lockfile --prod --filter @dreamfold/cli...

# Without pnpm's store, npm's cache and the other packages' dependencies.
FROM node:24.21.0-slim
COPY --from=install /app /app
# The replica belongs to who runs here: a volume that is mounted over it takes its owner from the image.
RUN chmod +x /app/apps/cli/src/bin.ts \
 && ln -s /app/apps/cli/src/bin.ts /usr/local/bin/dreamfold \
 && install -d -o node -g node /home/node/.dreamfold
USER node
WORKDIR /home/node
ENTRYPOINT ["dreamfold"]
