# The image: what was built, what it needs at run time, and nothing else. Runs as `node`, writes nowhere, so a read-only
# root file system is fine. Mount the folder with portcullis.yaml at /etc/portcullis.

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without install scripts: the only one here fetches a Node.js, and the image has its own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund && chmod 0755 dist/launch.js

FROM node:24-bookworm-slim
# Other containers must reach health, metrics and notices; publish 9090 to nobody else.
ENV NODE_ENV=production \
    PORTCULLIS_ADMIN_LISTEN=0.0.0.0:9090 \
    PORTCULLIS_HEALTH_URL=http://127.0.0.1:9090/healthz
WORKDIR /opt/portcullis
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
RUN ln -s /opt/portcullis/dist/launch.js /usr/local/bin/portcullis
USER node
EXPOSE 8080 9090
# Its address follows `admin` in the configuration: set PORTCULLIS_HEALTH_URL where that is not 9090 or not plain HTTP.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["node", "-e", "fetch(process.env.PORTCULLIS_HEALTH_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["portcullis"]
CMD ["start"]
