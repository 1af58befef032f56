using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;

namespace Evidence.Ledger.Timestamping;

/// <summary>
/// A question to a time-stamp authority (RFC 3161, section 2.4.1) over a checkpoint: SHA-256 over all bytes of its signed note, a random nonce, and that the
/// answer shall hold the authority's certificate.
/// </summary>
public sealed class TimestampRequest
{
    private const int NonceLength = 16;

    private readonly Rfc3161TimestampRequest request;

    private TimestampRequest(Rfc3161TimestampRequest request) => this.request = request;

    /// <summary>The SHA-256 that is to be stamped.</summary>
    public ReadOnlyMemory<byte> Imprint => request.GetMessageHash();

    internal ReadOnlyMemory<byte>? Nonce => request.GetNonce();

    internal string? Policy => request.RequestedPolicyId?.Value;

    /// <summary>Makes a question.</summary>
    /// <param name="note">The checkpoint's signed note.</param>
    /// <param name="policy">The policy under which to answer, an object identifier in dotted decimal; null for the authority's own choice.</param>
    /// <exception cref="EvidenceException">The policy is no object identifier (<see cref="ErrorCode.Usage"/>).</exception>
    public static TimestampRequest Create(ReadOnlySpan<byte> note, string? policy = null)
    {
        try
        {
            // A nonce is an INTEGER: of the random bytes the sign bit is cleared, and the first is not zero, so that it has one spelling.
            byte[] nonce = RandomNumberGenerator.GetBytes(NonceLength);
            nonce[0] = (byte)((nonce[0] & 0x7F) | 0x40);
            return new TimestampRequest(Rfc3161TimestampRequest.CreateFromHash(
                SHA256.HashData(note), HashAlgorithmName.SHA256, policy is null ? null : new Oid(policy, null), nonce, requestSignerCertificates: true));
        }
        catch (CryptographicException e)
        {
            throw new EvidenceException(ErrorCode.Usage, $"'{policy}' is no object identifier such as 1.2.3.4.1.", e);
        }
    }

    /// <summary>The question as DER, as authorities take it (<c>application/timestamp-query</c>).</summary>
    public byte[] Encode() => request.Encode();

    /// <summary>Reads a question.</summary>
    /// <exception cref="FormatException">The bytes are none.</exception>
    internal static TimestampRequest Decode(ReadOnlyMemory<byte> der) =>
        Rfc3161TimestampRequest.TryDecode(der, out Rfc3161TimestampRequest? request, out int length) && length == der.Length
            ? new TimestampRequest(request)
            : throw new FormatException("This is no time-stamp request.");
}
