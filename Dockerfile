# The gateway alone: no development dependencies, and not the Node binary that npm would bring for the host.
FROM node:26.10.0-slim AS dependencies
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional

FROM node:26.10.0-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY policies ./policies
COPY src ./src

# The ledger and the audit log. Everything else may be mounted read-only: nothing is written below /app.
RUN install -d -o 1000 -g 1000 /var/lib/jaaz-gateway
VOLUME /var/lib/jaaz-gateway

# By number, so that a cluster can see that it is not root.
USER 1000:1000
EXPOSE 8080

# The admin listener is on the loopback of the container, port 9090 unless gateway.yaml says otherwise.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

ENTRYPOINT ["node", "src/main.ts"]
CMD ["serve", "--config", "/etc/jaaz-gateway/gateway.yaml"]
