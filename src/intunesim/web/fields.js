// fields.js - the keys of intunesim.yaml(5) as fields of forms.
//
// type: text, area, bool, number, choice (of), many (of: checkboxes), lines, refs (of: names), san, period, secrets.
// only: shown when the other fields say so.  reissues: devices get another certificate when it changes.

const str = (key, label, help, more = {}) => ({ key, label, help, type: "text", ...more });
const choice = (key, label, of, more = {}) => ({ key, label, of, type: "choice", ...more });
const time = "2026-12-31T00:00:00Z; empty: ";
const PLATFORMS = ["windows", "ios", "macos", "android"];

export const users = () => [
  str("upn", "User principal name", "", { required: true, example: "jane@contoso.com" }),
  str("name", "Display name"), str("given_name", "First name", "", { half: true }), str("surname", "Surname", "", { half: true }),
  str("email", "Mail address", "", { half: true }), str("department", "Department", "", { half: true }),
  { key: "enabled", label: "The account is enabled", type: "bool", initial: true },
  str("user_name", "User name", "{{UserName}}; empty: the UPN up to the @"),
  str("on_prem_sid", "SID of the account on premises", "S-1-5-21-…; a user that Entra alone knows has none"),
  str("on_prem_dn", "Distinguished name on premises"), str("sam_account", "sAMAccountName"),
  choice("risk_level", "Risk level", ["none", "low", "medium", "high", "hidden"], { half: true }),
  choice("risk_state", "Risk state", ["none", "confirmedSafe", "remediated", "dismissed", "atRisk", "confirmedCompromised"], { half: true }),
  str("sessions_valid_from", "Sessions count from", time + "always"),
];

export const groups = () => [str("name", "Name", "", { required: true })];

const android = (v) => v.platform === "android";
const windows = (v) => v.platform === "windows";
const phone = (v) => v.platform === "ios" || v.platform === "android";

export const devices = (x) => [
  str("name", "Name", "", { required: true, example: "LAPTOP-7F3K2" }),
  choice("platform", "Platform", PLATFORMS, { half: true }),
  str("user", "Primary user", "UPN; empty: nobody's", { half: true, offer: x.users.map((u) => u.upn) }),
  choice("enrollment", "Enrolment", ["default", "personal_work_profile", "corporate_work_profile", "fully_managed", "dedicated", "aosp"], { only: android, help: "decides which variables have a value" }),
  str("serial", "Serial number", "", { half: true }), str("os_version", "Version of the system", "", { half: true }),
  str("imei", "IMEI", "", { half: true, only: phone }), str("meid", "MEID", "", { half: true, only: phone }),
  str("wifi_mac", "Wi-Fi MAC address", "", { half: true }), str("entra_id", "Entra device id", "a GUID; empty: made up", { half: true }),
  str("fqdn", "Fully qualified name", "of a domain-joined device", { only: windows }),
  str("on_prem_sid", "SID of the computer account", "", { only: windows }),
  choice("compliance", "Compliance", ["compliant", "noncompliant", "inGracePeriod", "unknown", "conflict", "error", "configManager"], { half: true }),
  choice("ownership", "Owner", ["default", "company", "personal"], { half: true }),
  choice("management_state", "Management state", ["managed", "retirePending", "retireFailed", "wipePending", "wipeFailed", "unhealthy", "deletePending", "retireIssued", "wipeIssued", "wipeCanceled", "retireCanceled", "discovered"], { half: true }),
  choice("registration", "Registration", ["registered", "notRegistered", "revoked", "keyConflict", "approvalPending", "certificateReset", "notRegisteredPendingEnrollment", "unknown"], { half: true }),
  choice("trust", "Join", ["default", "AzureAd", "ServerAd", "Workplace"], { half: true }),
  { key: "enabled", label: "Enabled in Entra", type: "bool", initial: true },
  { key: "managed", label: "Managed by Intune", type: "bool", initial: true },
  { key: "registered_keys", label: "Windows Hello keys", type: "lines", only: windows, help: "SHA-1 key identifiers, 40 hex digits, one a line" },
];

export const roots = (x) => [
  str("name", "Name", "", { required: true }),
  choice("platform", "Platform", PLATFORMS),
  { key: "pem", label: "Certificate", type: "area", help: "PEM; what devices are to trust. Without one, devices get none and SCEP profiles that need it are not delivered" },
  { key: "groups", label: "Assigned to", type: "refs", of: x.groups },
];

export const VARIABLES = {
  user: ["UserName", "UserPrincipalName", "EmailAddress", "GivenName", "SurName", "Department", "OnPrem_Distinguished_Name", "OnPremisesSamAccountName"],
  device: ["AAD_Device_ID", "DeviceId", "DeviceName", "SerialNumber", "IMEI", "MEID", "WiFiMacAddress", "FullyQualifiedDomainName"],
  uri: ["OnPremisesSecurityIdentifier"],
};
const offered = (v) => [...(v.certificate_type === "user" ? VARIABLES.user : []), ...VARIABLES.device];

export const profiles = (x) => [
  str("name", "Name", "", { required: true }),
  choice("platform", "Platform", PLATFORMS, { half: true }),
  choice("certificate_type", "Certificate of the", ["device", "user"], { half: true }),
  str("subject", "Subject", "CN={{DeviceName}},O=Contoso, or one of Intune's formats. Quote what may hold a comma: CN=\"{{…}}\"", {
    reissues: true, variables: offered,
    offer: ["Common name", "Common name including email", "Common name as email", "IMEI", "Serial number", "Not configured"],
  }),
  { key: "san", label: "Subject alternative names", type: "san", reissues: true, variables: (v) => [...offered(v), ...VARIABLES.uri], help: "{{OnPremisesSecurityIdentifier}} stands in URIs only" },
  { key: "eku", label: "Extended key usage", type: "lines", reissues: true, initial: ["clientAuth"], help: "one a line: clientAuth, ipsecIke, smartcardLogon … or an OID. Apple devices ask for clientAuth only" },
  { key: "key_usage", label: "Key usage", type: "many", of: ["digitalSignature", "keyEncipherment"], initial: ["digitalSignature", "keyEncipherment"] },
  { key: "validity", label: "Validity", type: "period", reissues: true, help: "what the device asks for; Apple devices never do" },
  choice("key_size", "Key size", ["2048", "4096", "1024", "any"], { half: true }),
  choice("hash", "Hash of the request", ["sha256", "sha1"], { half: true, only: windows }),
  choice("ksp", "Where the key is", ["tpm_or_software", "tpm", "hello", "software"], { half: true, only: windows }),
  choice("deployment_channel", "Channel", ["device", "user"], { half: true, only: (v) => v.platform === "macos" }),
  { key: "renewal_threshold", label: "Renew when so much of the life is left", type: "number", min: 1, max: 99, initial: 20, help: "percent" },
  { key: "scep_urls", label: "SCEP servers", type: "lines", required: true, help: "one a line; a device tries them in any order. --scep-url of the command line takes their place" },
  str("root", "Trusted root", "of the same platform, assigned to the same devices", { required: true, offer: x.roots.map((r) => r.name) }),
  str("ca_thumbprint", "Thumbprint of the CA", "SHA-1, 40 hex digits; empty: that of the trusted root"),
  choice("management", "Type in Graph", ["default", "work_profile", "device_owner", "aosp", "device_administrator", "phone"], { only: (v) => android(v) || windows(v) }),
  { key: "groups", label: "Assigned to", type: "refs", of: x.groups, help: "who leaves the last group loses the certificate: it is queued for revocation" },
];

export const PERMISSIONS = ["scep_challenge_provider", "Application.Read.All", "User.Read.All", "Device.Read.All", "Directory.Read.All",
  "DeviceManagementManagedDevices.Read.All", "DeviceManagementConfiguration.Read.All", "IdentityRiskyUser.Read.All", "GroupMember.Read.All"];

export const apps = () => [
  str("name", "Name", "", { required: true }),
  { key: "enabled", label: "The app is enabled", type: "bool", initial: true },
  { key: "permissions", label: "Permissions that an administrator has consented to", type: "many", of: PERMISSIONS,
    initial: ["scep_challenge_provider", "Application.Read.All"], help: "scep_challenge_provider is Intune's, the others are Graph's" },
  { key: "secrets", label: "Client secrets", type: "secrets" },
  { key: "managed_identity", label: "Managed identity: the endpoints give its tokens to whoever asks", type: "bool", initial: false },
];
