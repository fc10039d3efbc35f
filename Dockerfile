# One image for all services: the command chooses. `--target service` (the default) holds what production needs,
# `--target demo` the sandbox with its real OpenID Provider as well.
# scripts/rehearse-dockerfile.mjs runs these steps without a container engine.

ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

# The embedded Postgres of `npm start` is optional and stays out: an image has a server of its own.
FROM manifests AS production-packages
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM manifests AS all-packages
RUN npm ci --omit=optional --ignore-scripts

FROM manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY apps ./apps
COPY libs ./libs
RUN node scripts/build.mjs

FROM ${NODE_IMAGE} AS base
LABEL org.opencontainers.image.title="Assent" \
      org.opencontainers.image.description="One-time authorization over CIBA, as a service" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
ENV NODE_ENV=production
WORKDIR /app
# No package manager in what runs, and a user who owns nothing.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn*
RUN groupadd --gid 10001 assent && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin assent
COPY package.json LICENSE ./
COPY scripts/healthcheck.mjs ./scripts/
COPY --from=build /app/dist ./dist
USER 10001:10001
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["node", "scripts/healthcheck.mjs"]

FROM base AS demo
COPY scripts/seed-demo.mjs ./scripts/
COPY --from=all-packages /app/node_modules ./node_modules
CMD ["node", "dist/apps/sandbox/main.js"]

FROM base AS service
COPY --from=production-packages /app/node_modules ./node_modules
CMD ["node", "dist/apps/rules-service/main.js"]
