import 'reflect-metadata';
import { createPrivateKey } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension, X509Certificate } from '@peculiar/x509';
import { webKey } from './web-key.js';

/** Asks an authority for a certificate with the names of the present one (PKCS#10, RFC 2986); PEM. */
export async function certificateRequest(privateKeyPem: string, certificatePem: string): Promise<string> {
  const present = new X509Certificate(certificatePem);
  const names = present.getExtension(SubjectAlternativeNameExtension);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: present.subjectName,
    ...(await webKey(createPrivateKey(privateKeyPem))),
    extensions: names === null ? [] : [names],
  });
  return `${request.toString('pem')}\n`;
}
