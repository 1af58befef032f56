using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.Verification;

/// <summary>What to verify, and against what.</summary>
public sealed record VerificationOptions
{
    /// <summary>The images, by the names that <see cref="Vaults.Vault.FindImage"/> takes; empty for everything.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>Whether to compute the digests of whole images anew, too.</summary>
    public bool Digests { get; init; }

    /// <summary>Whether to hold only stored bytes against their checksums: quicker, and it finds rot, but it recomputes no content.</summary>
    public bool StoredBytesOnly { get; init; }

    /// <summary>Whether the system is to forget what it cached of each pack first, so that the medium itself is read.</summary>
    public bool FromMedium { get; init; }

    /// <summary>The keys and checkpoints known on this machine; null to take the vault's word for its keys, and to remember nothing.</summary>
    public KeyStore? Keys { get; init; }

    /// <summary>Whose time stamps count; null for the authorities that <see cref="Keys"/> trusts.</summary>
    public TrustedAuthorities? Trust { get; init; }

    /// <summary>
    /// Whom the verifier trusts to witness; null for nobody. It is the verifier's own, never the vault's: an administrator who lists his own witness
    /// must not vouch for himself.
    /// </summary>
    public WitnessPolicy? Policy { get; init; }

    /// <summary>Hears of what happens on the way.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}
