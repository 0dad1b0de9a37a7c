/** The contender nginx: a bare proxy with one worker and kept-alive connections on both sides; it knows nobody. */

export interface NginxOptions {
  readonly port: number;
  readonly upstreamPort: number;
  readonly folder: string;
}

/** Returns a configuration that keeps every file of its own below `folder`. */
export const nginxConfig = ({ port, upstreamPort, folder }: NginxOptions): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_timeout 120s;
  keepalive_requests 1000000000;
  upstream one {
    server 127.0.0.1:${upstreamPort};
    keepalive 128;
    keepalive_requests 1000000000;
    keepalive_timeout 120s;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://one;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
