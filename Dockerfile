# Leasehold in one container: the pool of responders and nginx, as a user of its
# own (10001), on port 8080.
#
#	docker build -t leasehold .
#	docker run -d --name leasehold -p 127.0.0.1:8080:8080 \
#	    --read-only --tmpfs /tmp --tmpfs /run:uid=10001,mode=755 \
#	    --cap-drop ALL --security-opt no-new-privileges \
#	    --stop-timeout 75 -v leasehold:/var/lib/leasehold leasehold
#	docker logs leasehold		# the link to the first administrator
#	docker exec leasehold leasehold key create --name first
#
# The volume /var/lib/leasehold has all that stays: database, master key, spool,
# backups.  /run and /tmp are written to and need not stay.  Both logs go to
# standard output and error.
#
# Each setting is LEASEHOLD_NAME, see leasehold.conf(5); a file of settings
# belongs at /etc/leasehold/leasehold.conf.  Among them:
#	LEASEHOLD_STORE, LEASEHOLD_STORE_PASSWORD_FILE	MySQL or MariaDB instead,
#			see conf/compose.yaml
#	LEASEHOLD_MASTER_KEY_FILE	the key from elsewhere than the volume;
#			of mode 0400, and user 10001's
#	LEASEHOLD_TRUSTED_PROXIES	networks of the proxy with TLS before
#			it, whose X-Forwarded-For tells clients apart
#	LEASEHOLD_PUBLIC_URL	how clients reach it; with https:// cookies are
#			for TLS alone
#	LEASEHOLD_MOUNT	the path under which that proxy has it
#
# docker stop: what runs goes on for up to drain_s (60 seconds), so it wants 75.
# docker kill -s HUP: the file of settings is read again.  An upgrade is a new
# image on the old volume: it starts with `leasehold init', which brings the
# database to its schema; a backup is in the volume then.
#
# It is built from a release or a checkout; ./bootstrap there fetches the charts
# of the pages, else the build does.

FROM debian:bookworm AS build
WORKDIR /src
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends autoconf automake ca-certificates gcc libc6-dev \
    libcurl4-openssl-dev libfcgi-dev libjansson-dev libmariadb-dev \
    liboath-dev libsodium-dev libsqlite3-dev make pkg-config
COPY . .
RUN test -e htdocs/lib/uplot.js || DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends npm
RUN ./bootstrap --needed && ./configure --prefix=/usr --sysconfdir=/etc \
    --localstatedir=/var && make -j"$(nproc)" && \
    make install-strip DESTDIR=/out

FROM debian:bookworm-slim
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends ca-certificates curl libcurl4 libfcgi0ldbl \
    libjansson4 libmariadb3 liboath0 libsodium23 libsqlite3-0 multiwatch \
    nginx-light spawn-fcgi tzdata && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/ /
COPY conf/nginx/ /usr/share/leasehold/container/nginx/
COPY conf/fill conf/container/entry /usr/share/leasehold/container/
RUN groupadd --gid 10001 leasehold && \
    useradd --uid 10001 --gid leasehold --no-create-home \
    --home-dir /var/lib/leasehold --shell /usr/sbin/nologin leasehold && \
    install -d -o leasehold -g leasehold -m 750 /var/lib/leasehold && \
    install -D -m 644 /usr/share/leasehold/conf/leasehold.conf \
    /etc/leasehold/leasehold.conf && \
    mkdir -p /var/log/leasehold && \
    ln -s /dev/stdout /var/log/leasehold/access.log && \
    ln -s /dev/stderr /var/log/leasehold/nginx-error.log && \
    ln -s /proc/1/fd/2 /var/log/leasehold/relay-pool.err && \
    ln -s /proc/1/fd/2 /var/log/leasehold/admin-pool.err
ENV LEASEHOLD_MASTER_KEY_FILE=/var/lib/leasehold/master.key \
    LEASEHOLD_RUN_DIR=/run/leasehold \
    LEASEHOLD_RELAY_SOCKET=/run/leasehold/relay.sock \
    LEASEHOLD_ADMIN_SOCKET=/run/leasehold/admin.sock \
    POOL_LOG_DIR=/var/log/leasehold
VOLUME /var/lib/leasehold
WORKDIR /var/lib/leasehold
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/share/leasehold/container/entry", "health"]
ENTRYPOINT ["/usr/share/leasehold/container/entry"]
