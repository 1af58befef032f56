using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Platform;

namespace Evidence.Ledger;

/// <summary>
/// Where the vault is whose log is written here. The log's keys alone cannot tell a vault from its copy, and two that grow apart under one name
/// are a fork. Moved, a folder keeps its identity; restored from a backup, it keeps its path; a copy beside it has neither.
/// </summary>
internal sealed record LedgerPlace(string Path, string Device, string Inode)
{
    /// <summary>The place of a vault's folder.</summary>
    internal static LedgerPlace Of(string folder)
    {
        var identity = FolderIdentity.Get(folder);
        return new LedgerPlace(
            System.IO.Path.GetFullPath(folder), identity.Device.ToString(), identity.Inode.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Whether this is the vault that was at another place.</summary>
    internal bool IsSameVault(LedgerPlace other) =>
        string.Equals(Path, other.Path, StringComparison.Ordinal) ||
        (string.Equals(Device, other.Device, StringComparison.Ordinal) && string.Equals(Inode, other.Inode, StringComparison.Ordinal));

    internal string ToText() => System.Text.Encoding.UTF8.GetString(
        CanonicalJson.Serialize(new JsonObject { ["device"] = Device, ["inode"] = Inode, ["path"] = Path }));

    /// <exception cref="FormatException">The text is no place.</exception>
    internal static LedgerPlace Parse(string text)
    {
        JsonObject json = JsonFields.RequireObject(CanonicalJson.Parse(System.Text.Encoding.UTF8.GetBytes(text)), "place");
        json.RequireOnly("device", "inode", "path");
        return new LedgerPlace(json.RequireString("path"), json.RequireString("device"), json.RequireString("inode"));
    }
}
