/** What is used of oidc-provider, which brings no types of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  /** As in OpenID Connect Dynamic Client Registration 1.0, section 2. */
  export interface ClientMetadata {
    readonly client_id: string;
    readonly client_secret?: string;
    readonly client_name?: string;
    readonly redirect_uris: readonly string[];
    readonly post_logout_redirect_uris?: readonly string[];
    readonly response_types?: readonly string[];
    readonly grant_types?: readonly string[];
    readonly scope?: string;
    readonly token_endpoint_auth_method?: 'client_secret_basic' | 'client_secret_post' | 'none';
    readonly id_token_signed_response_alg?: string;
    readonly backchannel_logout_uri?: string;
    readonly backchannel_logout_session_required?: boolean;
  }

  export interface Account {
    readonly accountId: string;
    /** Must have `sub`. */
    claims(use: string, scope: string): Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
  }

  export interface Client {
    readonly clientId: string;
    grantTypeAllowed(type: string): boolean;
  }

  /** What the configuration's functions are handed: a Koa context with the provider's own part. */
  export interface Context {
    readonly req: IncomingMessage;
    readonly res: ServerResponse;
    readonly host: string;
    status: number;
    type: string;
    body: unknown;
    set(headers: Readonly<Record<string, string>>): void;
    readonly oidc: {
      readonly client: Client | undefined;
      readonly session:
        | { readonly accountId: string | undefined; grantIdFor(clientId: string): string | undefined }
        | undefined;
      readonly params: Readonly<Record<string, string | undefined>> | undefined;
      readonly requestParamScopes: ReadonlySet<string>;
      readonly provider: Provider;
    };
  }

  export interface Adapter {
    upsert(id: string, payload: object, expiresIn?: number): Promise<void>;
    find(id: string): Promise<object | undefined>;
    findByUid(uid: string): Promise<object | undefined>;
    findByUserCode(userCode: string): Promise<object | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  type Seconds = number | ((context: Context, token: unknown, client: Client) => number);

  export interface Configuration {
    /** Called with the name of a model, such as `Session`, once for each. */
    readonly adapter?: (name: string) => Adapter;
    readonly clients?: readonly ClientMetadata[];
    /** Private keys; the first one that fits signs. */
    readonly jwks?: { readonly keys: ReadonlyArray<object> };
    readonly scopes?: readonly string[];
    readonly claims?: Readonly<Record<string, null | readonly string[]>>;
    /** False: the ID token holds the claims of all scopes, not those of `openid` alone. */
    readonly conformIdTokenClaims?: boolean;
    readonly clientDefaults?: Partial<ClientMetadata>;
    readonly cookies?: {
      readonly keys?: readonly string[];
      readonly names?: Readonly<Record<'session' | 'interaction' | 'resume', string>>;
    };
    readonly features?: {
      readonly devInteractions?: { readonly enabled: boolean };
      readonly dPoP?: { readonly enabled: boolean };
      readonly backchannelLogout?: { readonly enabled: boolean };
      readonly introspection?: { readonly enabled: boolean };
      readonly revocation?: { readonly enabled: boolean };
      readonly resourceIndicators?: {
        readonly enabled: boolean;
        readonly defaultResource?: (context: Context, client: Client, oneOf?: readonly string[]) => unknown;
        readonly getResourceServerInfo?: (context: Context, resource: string, client: Client) => unknown;
        readonly useGrantedResource?: (context: Context, source: unknown) => unknown;
      };
      readonly rpInitiatedLogout?: {
        readonly enabled: boolean;
        /** Answers with a page around the form, whose buttons send `logout=yes` or nothing. */
        readonly logoutSource?: (context: Context, form: string) => void | Promise<void>;
        readonly postLogoutSuccessSource?: (context: Context) => void | Promise<void>;
      };
    };
    readonly findAccount?: (context: Context, id: string) => Account | undefined | Promise<Account | undefined>;
    readonly loadExistingGrant?: (context: Context) => Grant | undefined | Promise<Grant | undefined>;
    readonly issueRefreshToken?: (context: Context, client: Client, code: unknown) => boolean | Promise<boolean>;
    readonly rotateRefreshToken?: boolean | ((context: Context) => boolean);
    readonly expiresWithSession?: (context: Context, code: unknown) => boolean | Promise<boolean>;
    readonly extraTokenClaims?: (context: Context, token: unknown) => object | undefined;
    readonly interactions?: { readonly url: (context: Context, interaction: Interaction) => string | Promise<string> };
    readonly renderError?: (context: Context, out: Readonly<Record<string, string>>, error: Error) => void;
    /** Whether a page of another origin may read the answers for a client. */
    readonly clientBasedCORS?: (context: Context, origin: string, client: Client) => boolean;
    readonly pkce?: { readonly required: (context: Context, client: Client) => boolean };
    readonly routes?: Readonly<Record<string, string>>;
    readonly responseTypes?: readonly string[];
    readonly clientAuthMethods?: readonly string[];
    readonly enabledJWA?: Readonly<Record<string, readonly string[]>>;
    readonly ttl?: Readonly<Record<string, Seconds>>;
    /**
     * Calls back-channel endpoints, among others. The dispatcher in its options keeps connections to this host from
     * being opened: leave it out to reach a client on loopback.
     */
    readonly fetch?: (url: string | URL, options: RequestInit) => Promise<Response>;
  }

  export interface Interaction {
    readonly uid: string;
    readonly prompt: { readonly name: string; readonly reasons: readonly string[] };
    readonly params: Readonly<Record<string, string | undefined>>;
    readonly session?: { readonly accountId: string };
    readonly grantId?: string;
  }

  export type InteractionResult =
    | { readonly login?: { readonly accountId: string }; readonly consent?: { readonly grantId?: string } }
    | { readonly error: string; readonly error_description?: string };

  export interface Grant {
    addOIDCScope(scope: string): void;
    addOIDCClaims(claims: readonly string[]): void;
    addResourceScope(resource: string, scope: string): void;
    /** Resolves with the grant's id. */
    save(): Promise<string>;
  }

  export class Provider {
    readonly issuer: string;
    /** Believes X-Forwarded-* headers. */
    proxy: boolean;
    callback(): RequestListener;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    /** The last one says whether an earlier result of the same interaction is kept. */
    interactionFinished(
      ...of: [IncomingMessage, ServerResponse, InteractionResult, { readonly mergeWithLastSubmission?: boolean }?]
    ): Promise<void>;
    readonly Grant: {
      new (of: { readonly accountId: string; readonly clientId: string }): Grant;
      find(id: string): Promise<Grant | undefined>;
    };
    on(event: string, listener: (...details: readonly unknown[]) => void): this;
    constructor(issuer: string, configuration?: Configuration);
  }
}
