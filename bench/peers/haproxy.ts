/** The contender HAProxy: verifies RS256, issuer, audience and expiry, counts per user, and names the user upstream. */

export interface HaproxyOptions {
  readonly port: number;
  readonly upstreamPort: number;
  readonly publicKeyFile: string;
  readonly issuer: string;
  readonly audience: string;
}

/** Returns a configuration for HAProxy 2.5 or later. One thread, as one process of the gateway has one. */
export const haproxyConfig = ({ port, upstreamPort, publicKeyFile, issuer, audience }: HaproxyOptions): string => `
global
  nbthread 1
  maxconn 4096

defaults
  mode http
  timeout connect 5s
  timeout client 120s
  timeout server 120s
  timeout http-keep-alive 120s
  http-reuse always

backend users
  stick-table type string len 128 size 100k expire 2m store http_req_rate(1m)

frontend public
  bind 127.0.0.1:${port}
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.algorithm) var(txn.token),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless { var(txn.algorithm) -m str RS256 }
  http-request deny deny_status 401 unless { var(txn.token),jwt_verify(txn.algorithm,"${publicKeyFile}") 1 }
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.iss') -m str ${issuer} }
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.aud') -m str ${audience} }
  http-request set-var(txn.now) date()
  http-request set-var(txn.expires) var(txn.token),jwt_payload_query('$.exp','int')
  http-request deny deny_status 401 if { var(txn.expires),sub(txn.now) -m int lt 0 }
  http-request set-var(txn.user) var(txn.token),jwt_payload_query('$.sub')
  http-request track-sc0 var(txn.user) table users
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000000 }
  http-request set-header x-user-id %[var(txn.user)]
  default_backend upstream

backend upstream
  server one 127.0.0.1:${upstreamPort} maxconn 256
`;
