using System.Buffers.Binary;
using Evidence.Platform;
using Evidence.Sources.Ewf;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Formats.Ewf;

/// <summary>One segment file that is written from its first byte to its last, but for descriptors whose size is known only behind their section.</summary>
internal sealed class EwfSegmentFile : IDisposable
{
    private readonly SafeFileHandle handle;
    private readonly string path;
    private readonly byte[] buffer;
    private int buffered;
    private long flushed;

    internal EwfSegmentFile(SafeFileHandle handle, string path, int number, byte[] buffer)
    {
        this.handle = handle;
        this.path = path;
        this.buffer = buffer;
        Span<byte> header = stackalloc byte[EwfFormat.HeaderLength];
        header.Clear();
        EwfFormat.Signature.CopyTo(header);
        header[8] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header[9..], (ushort)number);
        Write(header);
    }

    /// <summary>Where the next byte goes.</summary>
    internal long Position => flushed + buffered;

    internal void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (buffered == buffer.Length)
                Flush();
            int count = Math.Min(bytes.Length, buffer.Length - buffered);
            bytes[..count].CopyTo(buffer.AsSpan(buffered));
            buffered += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Writes a section whose content is at hand.</summary>
    internal void WriteSection(string type, ReadOnlySpan<byte> content)
    {
        long length = EwfSection.DescriptorLength + content.Length;
        WriteDescriptor(new EwfSection(type, Position + length, length));
        Write(content);
    }

    /// <summary>Writes the section that ends the file: it points at itself, and EnCase says of it that it has no size.</summary>
    internal void WriteLast(string type) => WriteDescriptor(new EwfSection(type, Position, 0));

    /// <summary>Leaves room for a descriptor.</summary>
    internal void Reserve()
    {
        Span<byte> room = stackalloc byte[EwfSection.DescriptorLength];
        room.Clear();
        Write(room);
    }

    /// <summary>Fills in the descriptor of a section that ends here.</summary>
    internal void Complete(string type, long start)
    {
        Span<byte> descriptor = stackalloc byte[EwfSection.DescriptorLength];
        new EwfSection(type, Position, Position - start).Encode(descriptor);
        if (start >= flushed)
        {
            descriptor.CopyTo(buffer.AsSpan((int)(start - flushed)));
            return;
        }

        Flush();
        WriteAt(descriptor, start);
    }

    /// <summary>Makes the file durable, and closes it.</summary>
    internal void Close()
    {
        Flush();
        DurableFile.Sync(handle, path);
        handle.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    private void WriteDescriptor(EwfSection section)
    {
        Span<byte> descriptor = stackalloc byte[EwfSection.DescriptorLength];
        section.Encode(descriptor);
        Write(descriptor);
    }

    private void Flush()
    {
        WriteAt(buffer.AsSpan(0, buffered), flushed);
        flushed += buffered;
        buffered = 0;
    }

    private void WriteAt(ReadOnlySpan<byte> bytes, long position)
    {
        try
        {
            RandomAccess.Write(handle, bytes, position);
        }
        catch (IOException e)
        {
            throw DurableFile.Failure(e, path, "write");
        }
    }
}
