using System.Security.Cryptography;
using Evidence.Platform;
using Microsoft.Extensions.Logging;

namespace Evidence.Ledger;

/// <summary>
/// What a user remembers of a vault that took long to find out, kept where the keys are, each piece under a code of this user's. It saves time, and nothing hangs on it: where a
/// piece is missing, damaged or another's, it is found out again.
/// </summary>
/// <param name="keys">The user's keys.</param>
/// <param name="vaultId">The vault's id.</param>
/// <param name="logger">Hears of what could not be used, or kept.</param>
internal sealed class OwnMemory(KeyStore keys, string vaultId, ILogger logger)
{
    private const int MostBytes = 1 << 30;

    /// <summary>What is remembered under a name; null where nothing is, or not by this user.</summary>
    internal byte[]? TryRead(string name)
    {
        string path = keys.MemoryPath(vaultId, name);
        try
        {
            if (SmallFile.TryRead(path, MostBytes) is not { } bytes)
                return null;
            int end = bytes.Length - HMACSHA256.HashSizeInBytes;
            if (end >= 0 && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(keys.MemoryKey(vaultId, name), bytes.AsSpan(0, end)), bytes.AsSpan(end)))
                return bytes[..end];
            Log.MemoryRefused(logger, path);
        }
        catch (EvidenceException e)
        {
            Log.MemoryNotKept(logger, path, e);
        }

        return null;
    }

    /// <summary>Remembers something under a name, in the place of what was there.</summary>
    internal void Write(string name, ReadOnlySpan<byte> content)
    {
        string path = keys.MemoryPath(vaultId, name);
        try
        {
            byte[] code = HMACSHA256.HashData(keys.MemoryKey(vaultId, name), content);
            DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
            DurableFile.Replace(path, [.. content, .. code], secret: true);
        }
        catch (EvidenceException e)
        {
            Log.MemoryNotKept(logger, path, e);
        }
    }
}
