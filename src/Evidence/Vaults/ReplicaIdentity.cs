using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Evidence.Canonical;

namespace Evidence.Vaults;

/// <summary>
/// What makes a folder a replica of a vault: the content of <c>replica.json</c> (<c>docs/format/vault.md</c>, Replicas). A path does not tell two disks apart that
/// are attached in turn; this does.
/// </summary>
/// <param name="Id">128 random bits in hexadecimal.</param>
/// <param name="Vault">The id of the vault that it is a copy of.</param>
internal sealed record ReplicaIdentity(string Id, string Vault)
{
    internal const string FileName = "replica.json";

    private const string FormatName = "evidence-replica";
    private const int Version = 1;
    private const int LargestFile = 1 << 12;

    internal static ReplicaIdentity CreateNew(string vault) => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), vault);

    internal byte[] Encode() => CanonicalJson.Serialize(new JsonObject { ["format"] = FormatName, ["version"] = Version, ["id"] = Id, ["vault"] = Vault });

    /// <summary>Reads it from a folder.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="EvidenceException">What is there is none (<see cref="ErrorCode.DestinationInvalid"/>), or cannot be read.</exception>
    internal static ReplicaIdentity? TryRead(VaultLayout layout)
    {
        try
        {
            return Decode(VaultFiles.ReadBounded(layout.Replica, LargestFile));
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"{layout.Replica} does not say which replica this is: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EvidenceException(ErrorCode.PermissionDenied, $"Cannot read {layout.Replica}: permission denied.", e);
        }
        catch (IOException e)
        {
            throw new EvidenceException(ErrorCode.InputOutput, $"Cannot read {layout.Replica}: {e.Message}", e);
        }
    }

    private static ReplicaIdentity Decode(byte[] bytes)
    {
        JsonObject json = JsonFields.RequireObject(CanonicalJson.Parse(bytes), "The file");
        if (!string.Equals(json.RequireString("format"), FormatName, StringComparison.Ordinal) || json.RequireInteger("version") != Version)
            throw new FormatException($"It is not of the format {FormatName}, version {Version}.");
        return new ReplicaIdentity(DecodeId(json, "id"), DecodeId(json, "vault"));
    }

    /// <summary>The id names a file of the sender's, so whoever has the replica must not choose a path with it.</summary>
    private static string DecodeId(JsonObject json, string name)
    {
        string id = json.RequireString(name);
        return IsId(id) ? id : throw new FormatException($"Its field '{name}' is not 32 hexadecimal digits.");
    }

    /// <summary>Whether a text can be a replica's id.</summary>
    internal static bool IsId(string text) => text.Length == 32 && text.All(char.IsAsciiHexDigitLower);
}
