// A SCEP client out of micromdm's library as Debian packages it (golang-github-micromdm-scep-dev): the same calls in the
// same order as its scepclient makes them, and the library's public cipher setting, which scepclient has no option for.
// The digest's default has no public setting; micromdm.sh gives its copy of the library one, DefaultDigest.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/go-kit/kit/log"
	"github.com/micromdm/scep/v2/client"
	"github.com/micromdm/scep/v2/cryptoutil/x509util"
	"github.com/micromdm/scep/v2/scep"
	"go.mozilla.org/pkcs7"
)

var ciphers = map[string]int{
	"des":       pkcs7.EncryptionAlgorithmDESCBC,
	"aes128":    pkcs7.EncryptionAlgorithmAES128CBC,
	"aes256":    pkcs7.EncryptionAlgorithmAES256CBC,
	"aes128gcm": pkcs7.EncryptionAlgorithmAES128GCM,
}

var digests = map[string]asn1.ObjectIdentifier{
	"sha1":   pkcs7.OIDDigestAlgorithmSHA1,
	"sha256": pkcs7.OIDDigestAlgorithmSHA256,
	"sha384": pkcs7.OIDDigestAlgorithmSHA384,
	"sha512": pkcs7.OIDDigestAlgorithmSHA512,
}

var (
	url       = flag.String("url", "", "of the server")
	challenge = flag.String("challenge", "", "challenge password")
	cn        = flag.String("cn", "", "common name")
	dir       = flag.String("dir", ".", "key.pem and csr.pem are used again when they are there; cert.pem is written")
	renew     = flag.Bool("renew", false, "RenewalReq signed with cert.pem and key.pem, for new-key.pem; new-cert.pem is written")
	message   = flag.String("message", "", "of GetCACert")
	cipher    = flag.String("cipher", "aes128", "of the envelope")
	digest    = flag.String("digest", "sha256", "of the signature")
)

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

// stored is the DER of name in -dir, made by create the first time.
func stored(name, label string, create func() ([]byte, error)) []byte {
	path := filepath.Join(*dir, name)
	if text, err := os.ReadFile(path); err == nil {
		if block, _ := pem.Decode(text); block != nil {
			return block.Bytes
		}
		must(fmt.Errorf("not PEM"), path)
	}
	der, err := create()
	must(err, name)
	must(os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}), 0600), path)
	return der
}

func loadKey(name string) *rsa.PrivateKey {
	der := stored(name, "RSA PRIVATE KEY", func() ([]byte, error) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKCS1PrivateKey(key), nil
	})
	key, err := x509.ParsePKCS1PrivateKey(der)
	must(err, name)
	return key
}

func loadCSR(name string, key *rsa.PrivateKey) *x509.CertificateRequest {
	der := stored(name, "CERTIFICATE REQUEST", func() ([]byte, error) {
		return x509util.CreateCertificateRequest(rand.Reader, &x509util.CertificateRequest{
			CertificateRequest: x509.CertificateRequest{
				Subject: pkix.Name{CommonName: *cn, Organization: []string{"scep-client"},
					OrganizationalUnit: []string{"MDM"}, Country: []string{"US"}},
				SignatureAlgorithm: x509.SHA256WithRSA,
			},
			ChallengePassword: *challenge,
		}, key)
	})
	csr, err := x509.ParseCertificateRequest(der)
	must(err, name)
	return csr
}

func loadCert(name string) *x509.Certificate {
	der := stored(name, "CERTIFICATE", func() ([]byte, error) { return nil, fmt.Errorf("it is not there") })
	cert, err := x509.ParseCertificate(der)
	must(err, name)
	return cert
}

func selfSigned(key *rsa.PrivateKey, csr *x509.CertificateRequest) *x509.Certificate {
	now := time.Now()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: csr.Subject,
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	must(err, "self-signed certificate")
	cert, err := x509.ParseCertificate(der)
	must(err, "self-signed certificate")
	return cert
}

func main() {
	flag.Parse()
	ctx := context.Background()
	c, err := scepclient.New(*url, log.NewNopLogger())
	must(err, "client")
	for _, capability := range []string{"AES", "SHA-256"} {
		if !c.Supports(capability) {
			must(fmt.Errorf("the server does not list %s", capability), "GetCACaps")
		}
	}
	answer, _, err := c.GetCACert(ctx, *message)
	must(err, "GetCACert")
	certs, err := scep.CACerts(answer)
	must(err, "GetCACert")

	key := loadKey("key.pem")
	kind, out := scep.PKCSReq, "cert.pem"
	var csr *x509.CertificateRequest
	var signer *x509.Certificate
	if *renew {
		if !c.Supports("Renewal") {
			must(fmt.Errorf("the server does not list Renewal"), "GetCACaps")
		}
		kind, out, signer = scep.RenewalReq, "new-cert.pem", loadCert("cert.pem")
		csr = loadCSR("new-csr.pem", loadKey("new-key.pem"))
	} else {
		csr = loadCSR("csr.pem", key)
		signer = selfSigned(key, csr)
	}
	pkcs7.ContentEncryptionAlgorithm = ciphers[*cipher]
	pkcs7.DefaultDigest = digests[*digest]
	request, err := scep.NewCSRRequest(csr, &scep.PKIMessage{MessageType: scep.MessageType(kind), Recipients: certs, SignerKey: key,
		SignerCert: signer}, scep.WithCertsSelector(scep.EnciphermentCertsSelector()))
	must(err, "request")
	answer, err = c.PKIOperation(ctx, request.Raw)
	must(err, "PKIOperation")

	reply, err := scep.ParsePKIMessage(answer, scep.WithCACerts(request.Recipients))
	must(err, "CertRep")
	if reply.PKIStatus != scep.SUCCESS {
		must(fmt.Errorf("pkiStatus %s, failInfo %s", reply.PKIStatus, reply.FailInfo), "CertRep")
	}
	if reply.TransactionID != request.TransactionID || string(reply.RecipientNonce) != string(request.SenderNonce) {
		must(fmt.Errorf("not the answer to this request"), "CertRep")
	}
	must(reply.DecryptPKIEnvelope(signer, key), "envelope")
	der := reply.CertRepMessage.Certificate.Raw
	must(os.WriteFile(filepath.Join(*dir, out), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0600), "cert.pem")
}
