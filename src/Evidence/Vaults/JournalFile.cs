using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Platform;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Vaults;

/// <summary>
/// A file of lines that only grows. Each begins with an authentication code over its text and the code before (HMAC-SHA-256, RFC 2104, its first 128 bits
/// in hexadecimal), so that none can be changed, moved, left out or taken from another file: it ends before the first line that is not right, be it torn or
/// forged. That lines at its end were cut off cannot be told.
/// </summary>
internal sealed class JournalFile : IDisposable
{
    private const int TagSize = 16;
    private const int PrefixSize = (2 * TagSize) + 1;
    private const int FirstBuffer = 1 << 16;
    private const int LongestLine = 1 << 20;

    private readonly string path;
    private readonly byte[] key;
    private readonly SafeFileHandle handle;
    private byte[] tag = new byte[TagSize];
    private long length;

    /// <summary>Opens the file, or makes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">The key of the codes.</param>
    internal JournalFile(string path, byte[] key)
    {
        this.path = path;
        this.key = key;
        handle = DurableFile.Translate(path, "open the journal", () => File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite));
    }

    /// <summary>Whether it has lines, of which the first is not right: another's, or damaged. Known once it was read.</summary>
    internal bool IsForeign { get; private set; }

    /// <summary>Reads the lines from the first, until one is not right, or is not taken; what is appended next comes in place of that one.</summary>
    /// <param name="take">Takes a line; a line that it refuses, or throws <see cref="FormatException"/> for, ends the file.</param>
    internal void Read(Func<JsonObject, bool> take)
    {
        length = 0;
        tag = new byte[TagSize];
        byte[] buffer = new byte[FirstBuffer];
        int start = 0;
        int filled = 0;
        while (true)
        {
            int end = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n');
            if (end >= 0)
            {
                if (!TryTake(buffer.AsSpan(start, end), take))
                {
                    IsForeign = length == 0;
                    return;
                }

                length += end + 1;
                start += end + 1;
                continue;
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            (filled, start) = (filled - start, 0);
            if (filled == LongestLine)
                return;
            if (filled == buffer.Length)
                Array.Resize(ref buffer, 2 * filled);
            int read = DurableFile.Translate(path, "read the journal", () => RandomAccess.Read(handle, buffer.AsSpan(filled), length + filled));
            if (read == 0)
                return;
            filled += read;
        }
    }

    /// <summary>Cuts off what is behind the last line that was taken, and makes durable what is counted on: whoever wrote it may have died before they flushed it.</summary>
    internal void Settle()
    {
        DurableFile.Translate(path, "cut the journal", () => RandomAccess.SetLength(handle, length));
        DurableFile.Sync(handle, path);
    }

    /// <summary>Appends lines, and makes them durable.</summary>
    internal void Append(IReadOnlyList<JsonObject> lines)
    {
        if (lines.Count == 0)
            return;
        using var bytes = new MemoryStream();
        byte[] next = tag;
        foreach (JsonObject line in lines)
        {
            byte[] text = CanonicalJson.Serialize(line);
            next = TagOf(next, text);
            bytes.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(next) + ' '));
            bytes.Write(text);
            bytes.WriteByte((byte)'\n');
        }

        DurableFile.Translate(path, "write the journal", () => RandomAccess.Write(handle, bytes.GetBuffer().AsSpan(0, (int)bytes.Length), length));
        DurableFile.Sync(handle, path);
        length += bytes.Length;
        tag = next;
    }

    public void Dispose() => handle.Dispose();

    private bool TryTake(ReadOnlySpan<byte> line, Func<JsonObject, bool> take)
    {
        if (line.Length < PrefixSize)
            return false;
        ReadOnlySpan<byte> text = line[PrefixSize..];
        byte[] own = TagOf(tag, text);
        // What a torn write left can be any bytes.
        if (!line[..PrefixSize].SequenceEqual(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(own) + ' ')))
            return false;
        try
        {
            if (!take(JsonFields.RequireObject(CanonicalJson.Parse(text), "A line")))
                return false;
        }
        catch (FormatException)
        {
            return false;
        }

        tag = own;
        return true;
    }

    private byte[] TagOf(ReadOnlySpan<byte> before, ReadOnlySpan<byte> text) => HMACSHA256.HashData(key, (byte[])[.. before, .. text])[..TagSize];
}
