using System.Runtime.InteropServices;

namespace Evidence.Ledger;

/// <summary>The few functions of OpenSSL 3's EVP interface that Ed25519 needs, by their own names (OpenSSL manual, section 3).</summary>
internal static unsafe partial class OpenSsl
{
    internal const int EVP_PKEY_ED25519 = 1087;

    private const string LibCrypto = "libcrypto.so.3";

    /// <summary>Whether the library is on this machine. .NET on Linux needs it for its own TLS, so nearly always it is.</summary>
    internal static bool IsAvailable { get; } = NativeLibrary.TryLoad(LibCrypto, typeof(OpenSsl).Assembly, null, out _);

    [LibraryImport(LibCrypto, EntryPoint = "EVP_PKEY_new_raw_private_key")]
    internal static partial PublicKeyHandle NewRawPrivateKey(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(LibCrypto, EntryPoint = "EVP_PKEY_new_raw_public_key")]
    internal static partial PublicKeyHandle NewRawPublicKey(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(LibCrypto, EntryPoint = "EVP_PKEY_get_raw_public_key")]
    internal static partial int GetRawPublicKey(PublicKeyHandle key, Span<byte> publicKey, ref nuint length);

    [LibraryImport(LibCrypto, EntryPoint = "EVP_PKEY_free")]
    private static partial void FreeKey(nint key);

    [LibraryImport(LibCrypto, EntryPoint = "EVP_MD_CTX_new")]
    internal static partial DigestContextHandle NewContext();

    [LibraryImport(LibCrypto, EntryPoint = "EVP_MD_CTX_free")]
    private static partial void FreeContext(nint context);

    [LibraryImport(LibCrypto, EntryPoint = "EVP_DigestSignInit")]
    internal static partial int SignInit(DigestContextHandle context, nint keyContext, nint digest, nint engine, PublicKeyHandle key);

    [LibraryImport(LibCrypto, EntryPoint = "EVP_DigestSign")]
    internal static partial int Sign(
        DigestContextHandle context, Span<byte> signature, ref nuint signatureLength, ReadOnlySpan<byte> text, nuint length);

    [LibraryImport(LibCrypto, EntryPoint = "EVP_DigestVerifyInit")]
    internal static partial int VerifyInit(DigestContextHandle context, nint keyContext, nint digest, nint engine, PublicKeyHandle key);

    [LibraryImport(LibCrypto, EntryPoint = "EVP_DigestVerify")]
    internal static partial int Verify(
        DigestContextHandle context, ReadOnlySpan<byte> signature, nuint signatureLength, ReadOnlySpan<byte> text, nuint length);

    /// <summary>
    /// OpenSSL keeps its errors in a queue for each thread; a failed check must not leave its own there for .NET to find.
    /// </summary>
    [LibraryImport(LibCrypto, EntryPoint = "ERR_clear_error")]
    internal static partial void ClearErrors();

    /// <summary>An <c>EVP_PKEY</c>.</summary>
    internal sealed class PublicKeyHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            FreeKey(handle);
            return true;
        }
    }

    /// <summary>An <c>EVP_MD_CTX</c>.</summary>
    internal sealed class DigestContextHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            FreeContext(handle);
            return true;
        }
    }
}
