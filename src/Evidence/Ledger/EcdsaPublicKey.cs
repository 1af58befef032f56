using System.Security.Cryptography;

namespace Evidence.Ledger;

/// <summary>ECDSA public keys as others declare them: SubjectPublicKeyInfo in DER, on a named curve, in the one spelling that a key has.</summary>
internal static class EcdsaPublicKey
{
    internal const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>Refuses what is no such key: a second spelling would be a second id, which nobody revoked.</summary>
    /// <param name="subjectPublicKeyInfo">The key.</param>
    /// <param name="curve">The curve's object identifier; null for any that has a name here.</param>
    /// <exception cref="FormatException">It is none.</exception>
    internal static void Demand(ReadOnlySpan<byte> subjectPublicKeyInfo, string? curve = null)
    {
        try
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
            ECCurve found = ecdsa.ExportParameters(includePrivateParameters: false).Curve;
            if (!found.IsNamed || (curve is not null && !string.Equals(found.Oid.Value, curve, StringComparison.Ordinal)))
                throw new FormatException("It is on another curve.");
            if (!subjectPublicKeyInfo.SequenceEqual(ecdsa.ExportSubjectPublicKeyInfo()))
                throw new FormatException("It is not in the one spelling that a key has.");
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            // The latter where nobody here knows the curve.
            throw new FormatException(e.Message, e);
        }
    }
}
