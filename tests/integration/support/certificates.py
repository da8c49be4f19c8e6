"""A certificate authority for one test run."""
import subprocess
from pathlib import Path


class Authority:
    def __init__(self, directory, name):
        self.directory, self.name = Path(directory), name
        self.certificate, self._key = self._path("pem"), self._path("key")
        self._openssl("req", "-x509", *_new_key(self._key), "-out", self.certificate, "-days", "2",
                      "-subj", f"/CN={name}")

    def issue(self, name, subject_alt_names):
        """The paths of a certificate and its key; `subject_alt_names` as in "DNS:a,IP:127.0.0.1"."""
        certificate, key = self._path("pem", name), self._path("key", name)
        request, extensions = self._path("csr", name), self._path("ext", name)
        extensions.write_text(f"subjectAltName={subject_alt_names}\n")
        self._openssl("req", *_new_key(key), "-out", request, "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                      "-CAcreateserial", "-out", certificate, "-days", "2", "-extfile", extensions)
        return str(certificate), str(key)

    def _path(self, suffix, name=""):
        return self.directory / f"{self.name}{name and '-' + name}.{suffix}"

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")


def _new_key(path):
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]
