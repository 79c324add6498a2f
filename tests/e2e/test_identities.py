"""Who may have keys: a part of the matrix that `./run verify kms` tries in full."""

import sys
import unittest

from network import REPOSITORY, NetworkTest

sys.path.insert(0, str(REPOSITORY / "tools" / "verify"))

import kms_identity  # noqa: E402
import kms_server  # noqa: E402

CHOSEN = {"right", "right_other_application", "no_certificate", "expired", "self_signed",
          "other_authority", "authority_of_the_same_name", "right_certificate_wrong_key",
          "use_server_only", "key_rsa_1024", "two_uris_of_two_applications", "nul_in_the_uri",
          "unknown_uri_known_common_name", "application_of_another_site"}


class Identities(NetworkTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(kms_server.Pair("8M"))

    def test_only_the_right_certificates_pass_and_refusals_are_logged(self):
        matrix = kms_identity.Matrix(self.network)
        wrong = matrix.run(CHOSEN)
        self.assertEqual(matrix.failures, [])
        self.assertEqual((wrong, matrix.cases), (len(CHOSEN) - 2, 5 * len(CHOSEN)))


if __name__ == "__main__":
    unittest.main()
