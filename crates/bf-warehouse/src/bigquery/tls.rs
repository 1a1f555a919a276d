//! The one cryptography of the process.

use std::sync::Once;

/// Installs ring, as in gcp_auth. reqwest asks for the installed one.
pub(super) fn install_crypto_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error says that there is one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
