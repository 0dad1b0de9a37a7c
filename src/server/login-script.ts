/**
 * The script that the gateway puts first into the server's page. That page does not notice that its session has ended: it
 * shows what it has, and fails at each click. So this asks who one is whenever the page is refused, and if nobody, sends it
 * to log in and back. It holds nothing of anybody, changes no answer, and leaves the page as it is whatever fails in it.
 */
import { hash } from 'node:crypto';
import { LOGIN_PATHS } from '../model/login.ts';
import type { OwnAnswer, OwnAsked } from '../model/own.ts';

/** A constructor and a function are wrapped by proxies, so that their names, constants and `instanceof` stay. */
export const SCRIPT = `(function(){'use strict';
var w=window,fetch0=w.fetch,KEY='jaaz-gateway-login',asking=false,failed=0;
function own(url){try{return new URL(url,location.href).host===location.host}catch(e){return false}}
function leave(){
try{var now=Date.now();var rest=1e4-Math.abs(now-sessionStorage.getItem(KEY));
if(rest>0){setTimeout(ask,rest+2e3);return}sessionStorage.setItem(KEY,now)}catch(e){return}
location.assign('${LOGIN_PATHS.login}?ended&return='+encodeURIComponent(location.pathname+location.search))}
function done(){setTimeout(function(){asking=false},2e3)}
function ask(){
if(asking)return;asking=true;
try{fetch0.call(w,'${LOGIN_PATHS.me}',{credentials:'same-origin',cache:'no-store',headers:{accept:'application/json'}})
.then(function(r){if(r.status===401)leave()}).then(done,done)}catch(e){done()}}
function seen(status,url){if(status===401&&own(url))ask()}
function wrap(o,k,h){try{if(o[k])o[k]=new Proxy(o[k],h)}catch(e){}}
wrap(w,'fetch',{apply:function(f,self,args){var p=Reflect.apply(f,self,args);
try{p.then(function(r){seen(r.status,r.url)},function(){})}catch(e){}return p}});
function ended(){try{seen(this.status,this.responseURL)}catch(e){}}
wrap(w.XMLHttpRequest&&w.XMLHttpRequest.prototype||{},'send',{apply:function(f,self,args){
try{self.addEventListener('loadend',ended)}catch(e){}return Reflect.apply(f,self,args)}});
function watch(s){
if(!own(s.url.replace(/^ws/,'http')))return;
var open=false;
s.addEventListener('open',function(){open=true;failed=0});
s.addEventListener('message',function(e){if(/^4[14]/.test(typeof e.data==='string'?e.data.slice(0,2):''))ask()});
s.addEventListener('close',function(e){if(e.code===4401||!open&&++failed>1)ask()})}
wrap(w,'WebSocket',{construct:function(f,args,to){var s=Reflect.construct(f,args,to);
try{watch(s)}catch(e){}return s}});
})();
`;

const MAX_AGE_SECONDS = 3600;

/** Returns the endpoint's answer: the same one to everybody. */
export const sessionScript = (): ((asked: OwnAsked) => OwnAnswer) => {
  const body = Buffer.from(SCRIPT);
  const etag = `"${hash('sha256', body, 'base64url').slice(0, 22)}"`;
  const common = ['cache-control', `public, max-age=${MAX_AGE_SECONDS}`, 'etag', etag];
  common.push('cross-origin-resource-policy', 'same-origin');
  return ({ request }) => {
    // Weak or not makes no difference here (RFC 9110, section 13.1.2).
    const has = request.headers
      .get('if-none-match')
      ?.split(',')
      .some((each) => each.trim().replace(/^W\//, '') === etag);
    if (has) return { status: 304, headers: common, body: undefined };
    return { status: 200, headers: ['content-type', 'text/javascript; charset=utf-8', ...common], body };
  };
};
